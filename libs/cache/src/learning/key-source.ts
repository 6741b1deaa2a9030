import type { EntryOptions } from '../engine/cache.options.js';
import type { Load } from '../engine/loader.js';

/** How to load a key when no caller brings a loader. */
export interface KeyLoad {
  readonly load: Load<unknown>;
  /** Of this entry, over those of its cache. */
  readonly options?: EntryOptions;
}

/** Knows how the keys of a namespace are loaded, for prefetching and warming. */
export interface KeySource {
  /** Undefined when it is not known how, or the context at hand must not load the key. */
  find(key: string): KeyLoad | undefined;
}
