import type { OutboundHttp, OutboundIntegration } from '#libs/resilience';
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
}

/** A vector of 4,096 numbers takes some 90 kB as JSON. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

const answerSchema = z.object({ embeddings: z.array(z.array(z.number()).min(1)) });

/**
 * An embedding service over HTTP: `POST {texts}` answers `{embeddings}`, a vector a text. It is called
 * under the policy `embedding`, whose breaker leaves it alone after some failures, so that a service
 * that is down costs a search nothing.
 */
export class HttpEmbeddingProvider extends EmbeddingProvider {
  private readonly service: OutboundIntegration;

  constructor(
    outbound: OutboundHttp,
    private readonly options: HttpEmbeddingOptions,
  ) {
    super();
    const { url, token, timeoutMs } = options;
    this.service = outbound.integration({
      name: 'embedding',
      baseUrl: url,
      timeoutMs,
      maxResponseBytes: MAX_RESPONSE_BYTES,
      circuit: { minimumCalls: 3, openMs: 10_000 },
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    });
  }

  /** @throws EmbeddingUnavailableError */
  async embed(texts: readonly string[]): Promise<Uint8Array[]> {
    const size = this.options.batchTexts ?? 64;
    const vectors: Uint8Array[] = [];
    for (let from = 0; from < texts.length; from += size) {
      try {
        vectors.push(...(await this.request(texts.slice(from, from + size))));
      } catch (cause) {
        throw new EmbeddingUnavailableError(cause);
      }
    }
    return vectors;
  }

  private async request(texts: readonly string[]): Promise<Uint8Array[]> {
    // The same texts have the same vectors, so asking twice does no harm.
    const response = await this.service.request({
      method: 'POST',
      json: { texts },
      isIdempotent: true,
    });
    if (!response.isOk) throw new TypeError(`The service answered with status ${response.status}.`);
    const { embeddings } = answerSchema.parse(response.json());
    if (embeddings.length !== texts.length) {
      throw new TypeError(`${embeddings.length} embeddings for ${texts.length} texts.`);
    }
    return embeddings.map(quantise);
  }
}
