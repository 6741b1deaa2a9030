import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Compression, type ContentCoding, ownHeadersOf, weakTag } from '#libs/http';
import type { Cache } from '../engine/cache.js';
import type { Caches } from '../managers/caches.js';
import type { CachedResponse } from './cached-response.js';
import { storedBody } from './stored-body.js';

const NAMESPACE = 'http.encoded';
/** A response that is asked for longer is compressed anew. */
const LIFE_MS = 3_600_000;
/** What could not be compressed, as too much was to be done at the time, is tried again after. */
const RETRY_MS = 1_000;

/**
 * Cached responses in the codings that clients ask for. A response is compressed when the first of
 * them asks, and its bytes stay in the first level, within the budget of responses: a hit costs a
 * look-up more. Nothing else needs to know of them; what takes the place of a response is another
 * one, under whose number nothing is found.
 */
export class EncodedResponses {
  private readonly numbers = new WeakMap<CachedResponse, number>();
  private lastNumber = 0;
  private opened: Cache<CachedResponse> | undefined;

  constructor(
    readonly compression: Compression,
    private readonly caches: Caches,
  ) {}

  /**
   * The response as this client gets it: itself, or its compressed form, at once where that is
   * there already.
   */
  of(
    response: CachedResponse,
    headers: IncomingHttpHeaders,
  ): CachedResponse | Promise<CachedResponse> {
    const accepted = headers['accept-encoding'];
    if (accepted === undefined || !this.isNegotiated(response)) return response;
    const coding = this.compression.codingFor(accepted);
    if (coding === undefined || isUntouched(headers)) return response;
    const key = this.keyOf(response, coding);
    const known = this.cache.hit(key);
    return known ?? this.cache.getOrSet(key, () => this.encode(response, coding));
  }

  /** Counts what went out to a client for a response, in whichever form. */
  count(request: FastifyRequest, reply: FastifyReply, raw: CachedResponse, sent: CachedResponse) {
    if (raw === sent || request.method === 'HEAD') return;
    // A 304 has none.
    if (ownHeadersOf(reply)['content-length'] === undefined) return;
    const coding = headerOf(sent.head, 'content-encoding') as ContentCoding | undefined;
    if (coding !== undefined) this.compression.sent(coding, raw.body.length, sent.body.length);
  }

  /** What was stored before a setting changed stays as it is. */
  private isNegotiated(response: CachedResponse): boolean {
    const { status, body, head, requestIdAt } = response;
    if (status !== 200 || requestIdAt.length > 0) return false;
    if (!this.compression.isLargeEnough(body.length)) return false;
    return headerOf(head, 'vary')?.includes('accept-encoding') === true;
  }

  private async encode(response: CachedResponse, coding: ContentCoding): Promise<CachedResponse> {
    const { body, head, etag } = response;
    const raw = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
    const packed = await this.compression.compress(raw, coding);
    // Too much to do now, or nothing gained.
    if (packed === undefined) return response;
    const changed = new Map<string, string>([
      ['content-length', String(packed.length)],
      ...(etag === undefined ? [] : [['etag', weakTag(etag)] as const]),
    ]);
    const own: string[] = ['content-encoding', coding];
    for (let at = 0; at < head.length; at += 2) {
      const name = head[at] as string;
      own.push(name, changed.get(name) ?? (head[at + 1] as string));
    }
    return {
      ...response,
      head: own,
      body: storedBody(packed),
      etag: etag === undefined ? undefined : weakTag(etag),
    };
  }

  private keyOf(response: CachedResponse, coding: ContentCoding): string {
    let number = this.numbers.get(response);
    if (number === undefined) {
      this.lastNumber += 1;
      number = this.lastNumber;
      this.numbers.set(response, number);
    }
    return `${number} ${coding}`;
  }

  private get cache(): Cache<CachedResponse> {
    this.opened ??= this.caches.open<CachedResponse>(NAMESPACE, {
      kind: 'api',
      ttlMs: ({ head }) => (head[0] === 'content-encoding' ? LIFE_MS : RETRY_MS),
      useTiers: false,
    });
    return this.opened;
  }
}

function isUntouched(headers: IncomingHttpHeaders): boolean {
  return headers['cache-control']?.includes('no-transform') === true;
}

function headerOf(head: readonly string[], name: string): string | undefined {
  for (let at = 0; at < head.length; at += 2) if (head[at] === name) return head[at + 1];
  return undefined;
}
