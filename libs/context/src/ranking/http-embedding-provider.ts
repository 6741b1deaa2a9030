import type { CircuitBreakerPolicy } from 'cockatiel';
import { z } from 'zod';
import { EmbeddingUnavailableError } from '../errors/embedding-unavailable.error.js';
import { EmbeddingProvider, quantise } from './embedding-provider.js';

export interface HttpEmbeddingOptions {
  readonly url: string;
  /** Bearer token. */
  readonly token?: string | undefined;
  readonly timeoutMs: number;
  /** Texts in one request. Default 64. */
  readonly batchTexts?: number;
  /** Failures in a row after which the service is left alone. Default 3. */
  readonly failuresToOpen?: number;
  /** How long it is left alone before one request tries again. Default 10,000. */
  readonly restMs?: number;
}

const answerSchema = z.object({ embeddings: z.array(z.array(z.number()).min(1)) });

/**
 * An embedding service over HTTP: `POST {texts}` answers `{embeddings}`, a vector a text. After
 * some failures in a row a circuit breaker rejects at once and leaves it alone for a while, so
 * that a service that is down costs a search nothing.
 */
export class HttpEmbeddingProvider extends EmbeddingProvider {
  private breaker: Promise<CircuitBreakerPolicy> | undefined;

  constructor(private readonly options: HttpEmbeddingOptions) {
    super();
  }

  /** @throws EmbeddingUnavailableError */
  async embed(texts: readonly string[]): Promise<Uint8Array[]> {
    // Loaded with the first request: most installations have no such service.
    this.breaker ??= makeBreaker(this.options);
    const breaker = await this.breaker;
    const size = this.options.batchTexts ?? 64;
    const vectors: Uint8Array[] = [];
    for (let from = 0; from < texts.length; from += size) {
      const batch = texts.slice(from, from + size);
      try {
        vectors.push(...(await breaker.execute(() => this.request(batch))));
      } catch (cause) {
        throw new EmbeddingUnavailableError(cause);
      }
    }
    return vectors;
  }

  private async request(texts: readonly string[]): Promise<Uint8Array[]> {
    const { url, token, timeoutMs } = this.options;
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ texts }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new TypeError(`The embedding service answered ${response.status}.`);
    }
    const { embeddings } = answerSchema.parse(await response.json());
    if (embeddings.length !== texts.length) {
      throw new TypeError(`${embeddings.length} embeddings for ${texts.length} texts.`);
    }
    return embeddings.map(quantise);
  }
}

async function makeBreaker({
  failuresToOpen = 3,
  restMs = 10_000,
}: HttpEmbeddingOptions): Promise<CircuitBreakerPolicy> {
  const { circuitBreaker, ConsecutiveBreaker, handleAll } = await import('cockatiel');
  return circuitBreaker(handleAll, {
    halfOpenAfter: restMs,
    breaker: new ConsecutiveBreaker(failuresToOpen),
  });
}
