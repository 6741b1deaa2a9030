import { currentContext, REQUEST_ID_HEADER } from '#libs/logging';
import type { CallContext } from '../policies/call-context.js';
import type { Policy } from '../policies/policy.js';
import { OutboundError } from './errors/outbound.error.js';
import { OutboundResponse } from './outbound-response.js';
import { requestUrl } from './outbound-url.js';
import type { IntegrationOptions, OutboundRequest } from './outbound.types.js';

const DEFAULT_MAX_RESPONSE_BYTES = 1024 * 1024;
/** Methods of which RFC 9110 says that a repeated request has the effect of one. */
const IDEMPOTENT_METHODS = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

/** One service that is called over HTTP, under its policy. */
export class OutboundIntegration {
  constructor(
    readonly policy: Policy,
    private readonly base: URL,
    private readonly options: IntegrationOptions,
  ) {}

  get name(): string {
    return this.policy.name;
  }

  /**
   * The answer of the service, or what `fallback` gives when there is none. Statuses below 500 are
   * answers, but 429 and redirects.
   *
   * @throws OutboundError, CircuitOpenError, BulkheadFullError, CallTimedOutError
   */
  async request(
    request: OutboundRequest,
    fallback?: (error: unknown) => Promise<OutboundResponse> | OutboundResponse,
  ): Promise<OutboundResponse> {
    const { method = 'GET', signal, headers = {}, isIdempotent } = request;
    const url = requestUrl(this.name, this.base, request);
    const mayRetry =
      isIdempotent ?? (IDEMPOTENT_METHODS.has(method) || 'idempotency-key' in headers);
    return this.policy.execute((context) => this.send(url, request, context), {
      signal,
      mayRetry,
      fallback,
    });
  }

  private async send(
    url: URL,
    { method = 'GET', headers, json, body }: OutboundRequest,
    context: CallContext,
  ): Promise<OutboundResponse> {
    const response = await this.fetch(url, {
      method,
      // A redirect is a URL that nobody has configured.
      redirect: 'manual',
      signal: context.signal,
      headers: {
        accept: 'application/json',
        'user-agent': 'pantheon',
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...this.contextHeaders(context),
        ...this.options.headers,
        ...headers,
      },
      body: json === undefined ? (body ?? null) : JSON.stringify(json),
    });
    await this.refuse(response);
    return new OutboundResponse(response.status, response.headers, await this.read(response));
  }

  private async fetch(url: URL, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, init);
    } catch (cause) {
      throw this.unreachable(cause);
    }
  }

  /** What is no answer to the question, by its status. */
  private async refuse(response: Response): Promise<void> {
    const { status } = response;
    const isRedirect = status >= 300 && status < 400 && status !== 304;
    const isFailure = status >= 500 || status === 429;
    if (!isRedirect && !isFailure) return;
    await response.body?.cancel();
    if (isRedirect) {
      throw this.error('OUTBOUND_REDIRECTED', 'answered with a redirect, which is not followed', {
        kind: 'internal',
        status,
      });
    }
    throw this.error('OUTBOUND_FAILED', `answered with status ${status}`, {
      kind: 'unavailable',
      status,
      retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
    });
  }

  private async read(response: Response): Promise<Uint8Array> {
    const maxBytes = this.options.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES;
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const chunk of response.body ?? []) {
        bytes += chunk.byteLength;
        // Leaving the loop ends the connection.
        if (bytes > maxBytes) break;
        chunks.push(chunk);
      }
    } catch (cause) {
      throw this.unreachable(cause);
    }
    if (bytes <= maxBytes) return Buffer.concat(chunks);
    throw this.error('OUTBOUND_RESPONSE_TOO_LARGE', `answered with more than ${maxBytes} bytes`, {
      kind: 'internal',
      status: response.status,
    });
  }

  private contextHeaders({ timeoutMs }: CallContext): Record<string, string> {
    if (this.options.passesContext === false) return {};
    const context = currentContext();
    return {
      'x-request-timeout-ms': String(Math.max(1, Math.floor(timeoutMs))),
      ...(context !== undefined && { [REQUEST_ID_HEADER]: context.requestId }),
      ...(context?.trace !== undefined && {
        traceparent: `00-${context.trace.traceId}-${context.trace.spanId}-01`,
      }),
    };
  }

  private unreachable(cause: unknown): OutboundError {
    return this.error('OUTBOUND_UNREACHABLE', 'could not be reached', {
      kind: 'unavailable',
      cause,
    });
  }

  private error(
    code: ConstructorParameters<typeof OutboundError>[0],
    what: string,
    options: ConstructorParameters<typeof OutboundError>[3],
  ): OutboundError {
    return new OutboundError(code, this.name, `The service "${this.name}" ${what}.`, options);
  }
}

/** `Retry-After` in seconds or as a date (RFC 9110); undefined when it is neither. */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1_000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
