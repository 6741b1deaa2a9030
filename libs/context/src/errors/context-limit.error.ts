import { PantheonError } from '#libs/core';

/** Thrown when a request asks for more than a setting allows. */
export class ContextLimitError extends PantheonError {
  constructor(
    readonly path: string,
    readonly limit: number,
    readonly setting: string,
  ) {
    const message = `At most ${limit} (${setting})`;
    super('CONTEXT_LIMIT', `${path} is too large: at most ${limit} (${setting}).`, {
      kind: 'invalid',
      faults: [{ path, code: 'CONTEXT_LIMIT', message }],
    });
  }
}
