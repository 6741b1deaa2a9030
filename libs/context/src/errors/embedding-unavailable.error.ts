import { messageOf, PantheonError } from '#libs/core';

/** Thrown when the embedding service does not answer, or is resting after it did not. */
export class EmbeddingUnavailableError extends PantheonError {
  constructor(cause: unknown) {
    super('EMBEDDING_UNAVAILABLE', `The embedding service is of no use now: ${messageOf(cause)}`, {
      kind: 'unavailable',
      cause,
    });
  }
}
