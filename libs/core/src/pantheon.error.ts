import { types } from 'node:util';

/**
 * What kind of failure an error stands for, in words that no transport owns.
 * HTTP, the command line and the job runner each map a kind to their own status.
 */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'too-large'
  | 'unprocessable'
  | 'unsupported'
  | 'rate-limited'
  | 'timeout'
  | 'unavailable'
  | 'internal';

/** One fault in an input: where it is, a stable code, and a sentence for people. */
export interface Fault {
  /** Path into the input, such as `body.sources[0].id`. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

export interface PantheonErrorOptions {
  readonly kind: ErrorKind;
  /** Faults by path, for errors of kind `invalid`. */
  readonly faults?: readonly Fault[];
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/**
 * Base of every error that Pantheon throws on purpose. `code` is stable and part of the API;
 * the message says what happened, to what, and what to do, and is safe to show to the caller.
 */
export class PantheonError extends Error {
  readonly kind: ErrorKind;
  readonly faults: readonly Fault[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: string,
    message: string,
    options: PantheonErrorOptions,
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.kind = options.kind;
    this.faults = options.faults ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Whether something is an Error, also one of another realm such as a `node:vm` context. */
export function isError(thrown: unknown): thrown is Error {
  return types.isNativeError(thrown) || thrown instanceof Error;
}

/** The message of anything that was thrown; `fallback` when it is not an Error. */
export function messageOf(thrown: unknown, fallback = 'Unknown error'): string {
  return isError(thrown) ? thrown.message : fallback;
}
