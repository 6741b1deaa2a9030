import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Clock, isError } from '#libs/core';
import type { CacheStrategyOptions } from '../decorators/cache-strategy.source.js';
import type { CachedHandler } from '../decorators/response-caching.js';
import type { Answer } from '../engine/answer.js';
import type { Cache } from '../engine/cache.js';
import type { EntryOptions } from '../engine/cache.options.js';
import { type CachedResponse, FailedResponse } from './cached-response.js';
import { capture, type CapturedAnswer, isReady } from './captured-answer.js';
import type { EncodedResponses } from './encoded-responses.js';
import { ResponseNotCachedError } from './errors/response-not-cached.error.js';
import { isPersonal, makeResponse } from './make-response.js';
import type { HandlerPipeline } from './nest-pipeline.js';
import { directivesOf, type RequestDirectives } from './request-directives.js';
import type { RequestKeys, ScopedRequest } from './request-key.js';
import type { ResponsePolicy } from './response-policy.js';
import type { GuardChecks } from './route-checks.js';
import type { ResponseWriter } from './response-writer.js';
import { writeResponse } from './write-response.js';

/** What a route with a cached response is put together from. */
export interface CachedRouteParts {
  readonly handler: CachedHandler;
  readonly pipeline: HandlerPipeline;
  readonly check: GuardChecks;
  readonly keys: RequestKeys;
  readonly policy: ResponsePolicy;
  readonly cache: Cache<CachedResponse | undefined>;
  readonly writer: ResponseWriter;
  readonly clock: Clock;
  /** Undefined where answers are not compressed. */
  readonly encodings: EncodedResponses | undefined;
  /** What the strategy that the decorator names says at present. */
  strategy(): CacheStrategyOptions | undefined;
}

/**
 * A GET handler behind its cache. For each request, in this order: all guards; the key; a fresh entry
 * of the first level is answered at once; else the shared levels are asked, else the handler runs,
 * once for all who wait for the same key, and what it answered is stored as bytes.
 *
 * An answer that is for one client alone (`Set-Cookie`, a stream, `Cache-Control: private` or
 * `no-store` of the handler) goes to the request that ran the handler; the others run it for
 * themselves.
 */
export class CachedRoute {
  /** ETags of this second, so that two versions made in it have no `Last-Modified` in common. */
  private readonly made = new Map<string, string>();
  private madeAtSecond = 0;

  constructor(private readonly parts: CachedRouteParts) {}

  readonly handle = (request: FastifyRequest, reply: FastifyReply): void => {
    try {
      const pending = this.parts.check(request, reply);
      if (pending === undefined) this.answer(request, reply);
      else {
        pending
          .then(() => this.answer(request, reply))
          .catch((error: unknown) => this.parts.pipeline.fail(error, request, reply));
      }
    } catch (error) {
      this.parts.pipeline.fail(error, request, reply);
    }
  };

  /** After the guards. */
  private answer(request: FastifyRequest, reply: FastifyReply): void {
    const { cache, keys } = this.parts;
    const directives = directivesOf(request.headers);
    const strategy = this.parts.strategy();
    if (!this.usesCache(request, directives, strategy)) {
      this.inBackground(this.runAlone(request, reply), request, reply);
      return;
    }
    const key = keys.of(request);
    const hit = directives === undefined ? cache.hit(key) : undefined;
    if (hit === undefined) {
      this.inBackground(this.find(request, reply, key, directives, strategy), request, reply);
    } else this.sendHit(request, reply, hit);
  }

  private sendHit(request: FastifyRequest, reply: FastifyReply, hit: CachedResponse): void {
    const encoded = this.parts.encodings?.of(hit, request.headers) ?? hit;
    if (encoded instanceof Promise) {
      const writing = encoded.then((ready) => this.writeHit(request, reply, hit, ready));
      this.inBackground(writing, request, reply);
    } else this.writeHit(request, reply, hit, encoded);
  }

  private writeHit(
    request: FastifyRequest,
    reply: FastifyReply,
    hit: CachedResponse,
    encoded: CachedResponse,
  ): void {
    const { writer, clock, encodings } = this.parts;
    writer.writeHit(request, reply, encoded, clock.nowMs());
    encodings?.count(request, reply, hit, encoded);
  }

  private usesCache(
    request: FastifyRequest,
    directives: RequestDirectives | undefined,
    strategy: CacheStrategyOptions | undefined,
  ): boolean {
    if (directives?.noStore === true || strategy?.enabled === false) return false;
    return this.parts.handler.applies(request as never);
  }

  private async find(
    request: FastifyRequest,
    reply: FastifyReply,
    key: string,
    directives: RequestDirectives | undefined,
    strategy: CacheStrategyOptions | undefined,
  ): Promise<void> {
    let own: CapturedAnswer | undefined;
    const early = this.earlyTags(request);
    const load = async (): Promise<CachedResponse | undefined> => {
      const answer = await capture(request, reply, this.parts.pipeline.run);
      if (!isReady(answer.payload) || isPersonal(answer)) {
        own = answer;
        return undefined;
      }
      const response = this.keep(key, request, answer, early, strategy);
      if (response.status >= 500) throw new FailedResponse(response);
      return response;
    };
    let found: Answer<CachedResponse | undefined>;
    try {
      const options = this.optionsFor(early, strategy);
      found = await this.lookUp(key, load, options, directives);
    } catch (error) {
      if (!isFailedResponse(error)) throw error;
      writeResponse(request, reply, error.response, 'MISS', this.parts.clock.nowMs());
      return;
    }
    const { value, source } = found;
    if (value !== undefined) {
      const encoded = (await this.parts.encodings?.of(value, request.headers)) ?? value;
      writeResponse(request, reply, encoded, source, this.parts.clock.nowMs());
      this.parts.encodings?.count(request, reply, value, encoded);
    } else if (own === undefined) await this.runAlone(request, reply);
    else sendOwn(reply, own);
  }

  private async lookUp(
    key: string,
    load: () => Promise<CachedResponse | undefined>,
    options: EntryOptions<CachedResponse | undefined>,
    directives: RequestDirectives | undefined,
  ): Promise<Answer<CachedResponse | undefined>> {
    const { cache, clock } = this.parts;
    if (directives?.onlyIfCached === true) {
      const stored = await cache.getEntry(key);
      if (stored === undefined) throw new ResponseNotCachedError();
      return stored;
    }
    if (directives?.noCache === true) return cache.reload(key, load, options);
    const answer = await cache.getOrSetEntry(key, load, options);
    // That there is nothing is told for a short time, and not beyond.
    if (answer.source === 'STALE' && answer.value?.status !== 200) {
      return cache.reload(key, load, options);
    }
    const { maxAgeSeconds } = directives ?? {};
    if (maxAgeSeconds === undefined || answer.source === 'MISS') return answer;
    const ageMs = clock.nowMs() - answer.createdMs;
    return ageMs <= maxAgeSeconds * 1000 ? answer : cache.reload(key, load, options);
  }

  /** Tags that are known before the handler has run; undefined when only its value tells them. */
  private earlyTags(request: FastifyRequest): readonly string[] | undefined {
    const { handler } = this.parts;
    const { tags = [], tagsBy } = handler.options;
    const isEarly = Array.isArray(tags) && !tags.some((tag: string) => tag.includes('{result'));
    if (!isEarly || tagsBy !== undefined) return undefined;
    return [...handler.tagsOf(undefined, request as never), ...this.scopeTags(request)];
  }

  /** What belongs to a user goes when the user changes. */
  private scopeTags(request: ScopedRequest): string[] {
    const { principal } = request;
    const isPersonal = this.parts.handler.varyBy?.includes('user') === true;
    return isPersonal && principal !== undefined ? [`user:${principal.userId}`] : [];
  }

  /** What the strategy says where the decorator says nothing, for one call. */
  private optionsFor(
    early: readonly string[] | undefined,
    strategy: CacheStrategyOptions | undefined,
  ): EntryOptions<CachedResponse | undefined> {
    const own = this.parts.handler.options;
    const fromStrategy = Object.entries(strategy ?? {}).filter(
      ([name]) => own[name as keyof typeof own] === undefined,
    );
    return {
      ...Object.fromEntries(fromStrategy),
      absentTtlMs: 0,
      ttlMs: (response) => response?.lifeMs ?? 0,
      tags: early ?? ((response) => response?.tags ?? []),
    };
  }

  /** What the handler answered, in the form in which it is stored or shared. */
  private keep(
    key: string,
    request: FastifyRequest,
    answer: CapturedAnswer,
    early: readonly string[] | undefined,
    strategy: CacheStrategyOptions | undefined,
  ): CachedResponse {
    const { handler, policy, clock } = this.parts;
    const { status } = answer;
    const value = answer.value ?? answer.payload;
    let lifeMs = 0;
    let tags = early ?? this.scopeTags(request);
    if (status === 200 && handler.isStorable(value)) {
      lifeMs = policy.lifeOf(value, strategy?.ttlMs);
      if (early === undefined) tags = [...handler.tagsOf(value, request as never), ...tags];
    } else if (status === 404) lifeMs = policy.notFoundLifeMs;
    const isKept = lifeMs > 0;
    const createdMs = clock.nowMs();
    const parts = {
      lifeMs,
      createdMs,
      modifiedMs: createdMs - (createdMs % 1000),
      tags,
      vary: policy.vary,
      cacheControl: isKept ? policy.cacheControlOf(lifeMs, tags) : undefined,
      requestId: request.id,
      compression: this.parts.encodings?.compression,
    };
    const response = makeResponse(answer, parts);
    return this.isSecondOfItsSecond(key, response)
      ? { ...response, ...withoutLastModified(response) }
      : response;
  }

  /** Whether another version was made in the same second: dates cannot tell the two apart. */
  private isSecondOfItsSecond(key: string, { etag, createdMs }: CachedResponse): boolean {
    if (etag === undefined) return false;
    const second = Math.floor(createdMs / 1000);
    if (second !== this.madeAtSecond) {
      this.made.clear();
      this.madeAtSecond = second;
    }
    const earlier = this.made.get(key);
    this.made.set(key, earlier === undefined || earlier === etag ? etag : '');
    return earlier !== undefined && earlier !== etag;
  }

  /** Runs the handler for this request alone, as if there were no cache. */
  private async runAlone(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    void reply.header('x-cache', 'MISS');
    await this.parts.pipeline.run(request, reply);
  }

  private inBackground(work: Promise<void>, request: FastifyRequest, reply: FastifyReply): void {
    work.catch((error: unknown) => this.parts.pipeline.fail(error, request, reply));
  }
}

/** Sends what cannot be shared to the request that it was made for. */
function sendOwn(reply: FastifyReply, { status, headers, payload }: CapturedAnswer): void {
  if (reply.sent) return;
  void reply.status(status).headers(headers).header('x-cache', 'MISS').send(payload);
}

function withoutLastModified({ head }: CachedResponse): Partial<CachedResponse> {
  const kept: string[] = [];
  for (let at = 0; at < head.length; at += 2) {
    if (head[at] !== 'last-modified') kept.push(head[at] as string, head[at + 1] as string);
  }
  return { head: kept, modifiedMs: undefined };
}

function isFailedResponse(error: unknown): error is FailedResponse {
  return isError(error) && error instanceof FailedResponse;
}
