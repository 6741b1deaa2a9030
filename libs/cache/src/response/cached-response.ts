/**
 * A response as it is stored: in a form that every level can hold, and ready to be sent. Headers
 * that differ from one answer to the next (`Age`, `X-Cache`, the request id) are not in it.
 */
export interface CachedResponse {
  readonly status: number;
  /** Names, in lower case, and values in turn. */
  readonly head: readonly string[];
  /** A small one as a text with a character for each byte; see `writeResponse`. */
  readonly body: string | Buffer;
  readonly etag: string | undefined;
  /** `Last-Modified`; milliseconds since the Unix epoch, whole seconds. */
  readonly modifiedMs: number | undefined;
  /** When the handler answered. */
  readonly createdMs: number;
  /** How long it is fresh; 0 for one that is shared by those who wait and not stored. */
  readonly lifeMs: number;
  readonly tags: readonly string[];
  /** Where the body names the request that it was made for; `length` 0 where it does not. */
  readonly requestIdAt: { readonly start: number; readonly length: number };
}

/** Thrown by a load whose response stands for a failure of ours, so that a stale one can be served. */
export class FailedResponse extends Error {
  constructor(readonly response: CachedResponse) {
    super(`The handler answered ${response.status}.`);
    this.name = 'FailedResponse';
  }
}
