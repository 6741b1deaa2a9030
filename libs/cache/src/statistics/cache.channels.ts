import { eventChannel } from '#libs/core';

/** Something in the cache failed and was survived: a level, the backplane, a loader behind the scenes. */
export interface CacheFault {
  readonly part: string;
  readonly operation: string;
  readonly error: unknown;
}

/** Where an answer came from. */
export type CacheSource = 'L1' | 'L2' | 'L3' | 'L4' | 'MISS' | 'STALE';

/** An answer of a cache; hits of the first level are reported only while somebody listens. */
export interface CacheAnswer {
  readonly namespace: string;
  readonly key: string;
  readonly source: CacheSource;
}

/** A loader has ended. */
export interface CacheLoad {
  readonly namespace: string;
  readonly key: string;
  readonly durationMs: number;
  /** `discarded`: the value was given to the callers, but invalidated while it was loaded. */
  readonly outcome: 'stored' | 'discarded' | 'absent' | 'failed' | 'timed-out';
  readonly isBackground: boolean;
}

/** Keys, tags, a namespace or everything were invalidated, here or by another process. */
export interface CacheInvalidation {
  readonly kind: 'key' | 'tag';
  readonly names: readonly string[];
  readonly isRemote: boolean;
}

/** A part of the cache changed its state. */
export interface CacheState {
  readonly part: string;
  readonly state: 'closed' | 'open' | 'half-open' | 'in-sync' | 'out-of-sync';
}

export const cacheFault = eventChannel<CacheFault>('pantheon.cache.fault');
export const cacheAnswer = eventChannel<CacheAnswer>('pantheon.cache.answer');
export const cacheLoad = eventChannel<CacheLoad>('pantheon.cache.load');
export const cacheInvalidation = eventChannel<CacheInvalidation>('pantheon.cache.invalidation');
export const cacheState = eventChannel<CacheState>('pantheon.cache.state');
