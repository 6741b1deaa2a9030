import type { EntryOptions } from '../engine/cache.options.js';
import type { CachedHandler } from '../decorators/response-caching.js';

/** Life of a response when the decorator gives none. */
export const DEFAULT_RESPONSE_TTL_MS = 300_000;

type Ttl = NonNullable<EntryOptions<never>['ttlMs']>;

/** What the responses of one handler may say to caches outside, and how long each lives here. */
export interface ResponsePolicy {
  /** Life of what the handler returned; `otherTtlMs` where the decorator gives none. */
  lifeOf(value: unknown, otherTtlMs: Ttl | undefined): number;
  /** Life of a 404; 0 means that none is stored. */
  readonly notFoundLifeMs: number;
  /** `Vary`, without what the rest of the pipeline adds; undefined for none. */
  readonly vary: string | undefined;
  cacheControlOf(lifeMs: number, tags: readonly string[]): string;
}

/**
 * A response is public only when it is the same for everybody and its route needs no token: a shared
 * cache asks nobody's permission. What has tags can be evicted here at any moment, which the caches
 * of clients do not hear of, so they keep it only to ask whether it still holds (304). Shared caches
 * in front of us can be purged by `Surrogate-Key`, so they get the whole life.
 */
export function policyOf(handler: CachedHandler, isPublicRoute: boolean): ResponsePolicy {
  const { options } = handler;
  const varyBy = handler.varyBy ?? [];
  const isPersonal = varyBy.includes('user') || varyBy.includes('tenant');
  const isPublic = isPublicRoute && !isPersonal;
  const names = varyBy.flatMap((by) =>
    by.startsWith('header:') ? [by.slice('header:'.length).toLowerCase()] : [],
  );
  if (!isPublic) names.unshift('authorization', 'x-api-key');
  const { revalidateMs = 0, staleMs = 0, maxTtlMs = Number.POSITIVE_INFINITY } = options;
  return {
    lifeOf(value, otherTtlMs) {
      const ttlMs = options.ttlMs ?? otherTtlMs ?? DEFAULT_RESPONSE_TTL_MS;
      const life = typeof ttlMs === 'number' ? ttlMs : ttlMs(value as never, handler.namespace);
      return Math.min(life, maxTtlMs);
    },
    notFoundLifeMs: options.absentTtlMs ?? 0,
    vary: names.length === 0 ? undefined : [...new Set(names)].join(', '),
    cacheControlOf(lifeMs, tags) {
      const life = seconds(lifeMs);
      if (isPublic) {
        const browser = tags.length === 0 ? life : 0;
        return [
          `public, max-age=${browser}, s-maxage=${life}`,
          ...(revalidateMs > 0 ? [`stale-while-revalidate=${seconds(revalidateMs)}`] : []),
          ...(staleMs > 0 ? [`stale-if-error=${seconds(staleMs)}`] : []),
        ].join(', ');
      }
      if (tags.length > 0 || life === 0) return 'private, max-age=0, must-revalidate';
      return [
        `private, max-age=${life}`,
        ...(revalidateMs > 0 ? [`stale-while-revalidate=${seconds(revalidateMs)}`] : []),
        ...(staleMs > 0 ? [`stale-if-error=${seconds(staleMs)}`] : []),
      ].join(', ');
    },
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
