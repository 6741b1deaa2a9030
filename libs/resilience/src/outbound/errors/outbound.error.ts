import { type ErrorKind, PantheonError } from '#libs/core';

export type OutboundErrorCode =
  | 'OUTBOUND_UNREACHABLE'
  | 'OUTBOUND_FAILED'
  | 'OUTBOUND_REDIRECTED'
  | 'OUTBOUND_RESPONSE_TOO_LARGE'
  | 'OUTBOUND_URL_REFUSED';

export interface OutboundErrorOptions {
  readonly kind: ErrorKind;
  /** That the service answered with. */
  readonly status?: number;
  /** For how long the service wants to be left alone. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** A call of another service that did not come to an answer. */
export class OutboundError extends PantheonError {
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: OutboundErrorCode,
    /** As it was declared, never the URL. */
    readonly integration: string,
    message: string,
    { kind, status, retryAfterMs, cause }: OutboundErrorOptions,
  ) {
    super(code, message, {
      kind,
      cause,
      ...(kind === 'unavailable' && { retryAfterSeconds: 1 }),
    });
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}
