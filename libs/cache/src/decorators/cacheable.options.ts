import type { EntryOptions } from '../engine/cache.options.js';
import type { PrefetchOptions } from '../learning/prefetch.options.js';
import type { NamespaceOptions } from '../managers/caches.js';
import type { CachedRequest } from './cached-request.js';

type Arguments = readonly unknown[];

/**
 * What an answer depends on beside the arguments: the user, the organization of the user, or a
 * header of the request.
 */
export type VaryBy = 'user' | 'tenant' | `header:${string}`;

/**
 * Options of `@Cacheable`. A template is a text with slots: `{id}` is the parameter `id` of the
 * method, `{order.id}` a property of one, `{0}` the first argument; on a GET handler also
 * `{params.id}`, `{query.q}`. Functions get the arguments of the call.
 */
export interface CacheableOptions<
  Value = unknown,
  KeyArguments extends Arguments = Arguments,
  ConditionArguments extends Arguments = Arguments,
  TagArguments extends Arguments = Arguments,
>
  extends
    Omit<EntryOptions<Value>, 'tags'>,
    Pick<
      NamespaceOptions<Value>,
      'kind' | 'maxItems' | 'maxBytes' | 'policy' | 'clone' | 'freeze' | 'useTiers'
    > {
  /** Namespace of the entries, without `:`. Default `ClassName.method`. */
  readonly namespace?: string;
  /** Template or function of the arguments. Default all arguments, told apart by type. */
  readonly key?: string | ((...args: KeyArguments) => unknown);
  /** Key as a function of the request; for GET handlers only, in place of `key`. */
  readonly keyBy?: (request: CachedRequest) => unknown;
  /** Templates, or a function of the value and the arguments: names that invalidate the entry. */
  readonly tags?: readonly string[] | ((value: Value, ...args: TagArguments) => readonly string[]);
  /** Tags as a function of the value and the request; for GET handlers only, in place of `tags`. */
  readonly tagsBy?: (value: Value, request: CachedRequest) => readonly string[];
  /** The cache is used only for calls for which it is true. */
  readonly condition?: (...args: ConditionArguments) => boolean;
  /** As `condition`, of the request; for GET handlers only. */
  readonly conditionBy?: (request: CachedRequest) => boolean;
  /** A value for which it is true is returned and not stored. */
  readonly unless?: (value: Value) => boolean;
  /**
   * What the answer depends on beside the key. `[]` states that it depends on nothing else, where
   * it looks as if it did.
   */
  readonly varyBy?: readonly VaryBy[];
  /** Raise it when values change their shape: entries of other versions are not seen any more. */
  readonly version?: string | number;
  /**
   * Whether keys that a user is likely to need next are loaded ahead, and how many. Default false.
   * The arguments of the calls of late are remembered for it. Not for handlers.
   */
  readonly prefetch?: boolean | PrefetchOptions;
  /** Id or name of a cache strategy, whose options apply where the decorator says nothing. */
  readonly strategy?: string;
}

/** What `@CachePut` and `@CacheEvict` have in common. */
export interface CacheWriteOptions<
  Result = unknown,
  KeyArguments extends Arguments = Arguments,
  ConditionArguments extends Arguments = Arguments,
> {
  /**
   * Template or function of the result and the arguments. Templates have the slot `{result}`
   * beside the parameters of the method.
   */
  readonly key?: string | ((result: Result, ...args: KeyArguments) => unknown);
  /** Nothing is done for calls for which it is false. */
  readonly condition?: (...args: ConditionArguments) => boolean;
  /**
   * Restricts the write to what is stored for the same user, tenant or header. Without it, an entry
   * is evicted for all of them.
   */
  readonly varyBy?: readonly VaryBy[];
  /** That of the entries, if they have one. */
  readonly version?: string | number;
}

/** Options of `@CachePut`: what the method returns is stored under the key. */
export interface CachePutOptions<
  Result = unknown,
  KeyArguments extends Arguments = Arguments,
  ConditionArguments extends Arguments = Arguments,
  TagArguments extends Arguments = Arguments,
>
  extends
    CacheWriteOptions<Result, KeyArguments, ConditionArguments>,
    Omit<EntryOptions<Result>, 'tags'> {
  readonly namespace: string;
  readonly key: string | ((result: Result, ...args: KeyArguments) => unknown);
  /** Templates, or a function of the value and the arguments. */
  readonly tags?: readonly string[] | ((value: Result, ...args: TagArguments) => readonly string[]);
  /** A result for which it is true is not stored; what was stored under its key is evicted. */
  readonly unless?: (result: Result) => boolean;
}

/** Options of `@CacheEvict`; at least one of `tags`, `key` and `allEntries` says what goes. */
export interface CacheEvictOptions<
  Result = unknown,
  KeyArguments extends Arguments = Arguments,
  ConditionArguments extends Arguments = Arguments,
  TagArguments extends Arguments = Arguments,
> extends CacheWriteOptions<Result, KeyArguments, ConditionArguments> {
  /** Of `key` and `allEntries`. */
  readonly namespace?: string;
  /** Templates, or a function of the result and the arguments: every entry with one of them goes. */
  readonly tags?:
    readonly string[] | ((result: Result, ...args: TagArguments) => readonly string[]);
  /** Every entry of the namespace goes. */
  readonly allEntries?: boolean;
  /** Nothing is evicted after a result for which it is true. */
  readonly unless?: (result: Result) => boolean;
  /**
   * Evicts before the method runs, whether or not it succeeds; there is no result yet. Default
   * false: after it has succeeded.
   */
  readonly beforeInvocation?: boolean;
}

/** Options of `@Caching`: several of the decorators as one. */
export interface CachingOptions {
  readonly cacheable?: AnyCacheableOptions;
  readonly put?: readonly AnyPutOptions[];
  readonly evict?: readonly AnyEvictOptions[];
}

/** Options of whatever method. */
export type AnyCacheableOptions = CacheableOptions<never, never[], never[], never[]>;
export type AnyPutOptions = CachePutOptions<never, never[], never[], never[]>;
export type AnyEvictOptions = CacheEvictOptions<never, never[], never[], never[]>;
