import type { EntryOptions } from '../engine/cache.options.js';
import type { NamespaceOptions } from '../managers/caches.js';

/** What a strategy says of the entries that use it. */
export interface CacheStrategyOptions extends EntryOptions<never> {
  /** Methods of a strategy that is switched off run without the cache. Default true. */
  readonly enabled?: boolean;
}

/**
 * Where the strategies come from that decorators name. It is asked on each call, so that a change
 * takes effect at once, and should answer the same object as long as nothing has changed.
 */
export abstract class CacheStrategySource {
  /** Undefined for a strategy that does not exist (yet): the decorator's own options apply. */
  abstract optionsOf(strategy: string): CacheStrategyOptions | undefined;

  /**
   * What the namespace of a method that names the strategy is opened with: its levels, policy and
   * size. To be asked once, before the namespace is opened; undefined where nothing is known.
   */
  openingOptionsOf(_strategy: string, _namespace: string): NamespaceOptions | undefined {
    return undefined;
  }
}
