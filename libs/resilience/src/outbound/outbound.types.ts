import type { PolicyOptions } from '../policies/policy.options.js';

export interface IntegrationOptions extends PolicyOptions {
  /** Of its policy: in metrics, settings and `GET /v1/perf/breakers`. */
  readonly name: string;
  /** From the configuration, never from a request. Nothing beside and above its path is ever called. */
  readonly baseUrl: string;
  /** Of every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest answer, after decompression. Default 1 MiB. */
  readonly maxResponseBytes?: number;
  /**
   * Whether the service is told of the request at hand: its id, its place in the trace, and the time
   * that is left. Default true; false for services of strangers.
   */
  readonly passesContext?: boolean;
}

export interface OutboundRequest {
  /** Default GET. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base URL; without it the base URL itself is called. */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, if there is no `json`. */
  readonly body?: string | Uint8Array;
  /**
   * Whether a repeated request does no harm. Default true for methods of which HTTP says so, and with
   * the header `idempotency-key`.
   */
  readonly isIdempotent?: boolean;
  /** Of who waits for the answer. */
  readonly signal?: AbortSignal | undefined;
}
