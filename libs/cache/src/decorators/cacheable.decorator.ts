import 'reflect-metadata';
import { CacheDecoratorError } from './errors/cache-decorator.error.js';
import type {
  AnyCacheableOptions,
  AnyEvictOptions,
  AnyPutOptions,
  CacheableOptions,
  CacheEvictOptions,
  CachePutOptions,
  CachingOptions,
} from './cacheable.options.js';

/** What the decorators of this lib say of one method. */
export interface CacheRules {
  /** More than one is a fault that is told at boot. */
  readonly cacheable: readonly AnyCacheableOptions[];
  readonly put: readonly AnyPutOptions[];
  readonly evict: readonly AnyEvictOptions[];
}

/** On a method: its `CacheRules`. */
export const CACHE_RULES = Symbol('pantheon:cache-rules');
/** On a prototype: the names of its methods that have rules. */
export const CACHED_METHODS = Symbol('pantheon:cached-methods');

type Arguments = readonly unknown[];
type AnyMethod = (...args: never[]) => unknown;
type ResultOf<Method extends AnyMethod> = Awaited<ReturnType<Method>>;

/** Unknown when a function with these parameters can be called as the method is; else a fault. */
type Fits<Method extends AnyMethod, Expected extends Arguments> = ((
  ...args: Expected
) => void) extends (...args: Parameters<Method>) => void
  ? unknown
  : { readonly 'a function takes other arguments than the method': Expected };

/** Unknown when the result of the method is of the type; else a fault. */
type Gives<Method extends AnyMethod, Value> = [ResultOf<Method>] extends [Value]
  ? unknown
  : { readonly 'a function takes another value than the method returns': Value };

/** A decorator for methods that the functions among its options fit. */
export type CacheDecorator<Value, A extends Arguments, B extends Arguments, C extends Arguments> = <
  Method extends AnyMethod,
>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Method> &
    Fits<Method, A> &
    Fits<Method, B> &
    Fits<Method, C> &
    Gives<Method, Value>,
) => void;

type DecoratorOf<Method extends AnyMethod> = (
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

/**
 * Caches what a method returns, or the whole response of a GET handler. Concurrent calls with the
 * same key share one call of the method, and its failure. Functions among the options either state
 * the types of their arguments, or get them with `@Cacheable<Orders['find']>({ … })`; either way
 * the compiler checks them.
 */
export function Cacheable<
  Value,
  KeyArguments extends Arguments,
  ConditionArguments extends Arguments,
  TagArguments extends Arguments,
>(
  options?: CacheableOptions<Value, KeyArguments, ConditionArguments, TagArguments>,
): CacheDecorator<Value, KeyArguments, ConditionArguments, TagArguments>;
export function Cacheable<Method extends AnyMethod>(
  options: CacheableOptions<
    ResultOf<Method>,
    Parameters<Method>,
    Parameters<Method>,
    Parameters<Method>
  >,
): DecoratorOf<Method>;
export function Cacheable(options: object = {}): MethodDecorator {
  return record({ cacheable: [options], put: [], evict: [] });
}

/** Always runs the method, and stores what it returns before the caller gets it. */
export function CachePut<
  Result,
  KeyArguments extends Arguments,
  ConditionArguments extends Arguments,
  TagArguments extends Arguments,
>(
  options: CachePutOptions<Result, KeyArguments, ConditionArguments, TagArguments>,
): CacheDecorator<Result, KeyArguments, ConditionArguments, TagArguments>;
export function CachePut<Method extends AnyMethod>(
  options: CachePutOptions<
    ResultOf<Method>,
    Parameters<Method>,
    Parameters<Method>,
    Parameters<Method>
  >,
): DecoratorOf<Method>;
export function CachePut(options: object): MethodDecorator {
  return record({ cacheable: [], put: [options as AnyPutOptions], evict: [] });
}

/**
 * Evicts after the method has succeeded, by tags, by key, or a whole namespace, in every process;
 * the caller gets the result when that has been acknowledged. Whoever reads afterwards gets nothing
 * older.
 */
export function CacheEvict<
  Result,
  KeyArguments extends Arguments,
  ConditionArguments extends Arguments,
  TagArguments extends Arguments,
>(
  options: CacheEvictOptions<Result, KeyArguments, ConditionArguments, TagArguments>,
): CacheDecorator<Result, KeyArguments, ConditionArguments, TagArguments>;
export function CacheEvict<Method extends AnyMethod>(
  options: CacheEvictOptions<
    ResultOf<Method>,
    Parameters<Method>,
    Parameters<Method>,
    Parameters<Method>
  >,
): DecoratorOf<Method>;
export function CacheEvict(options: object): MethodDecorator {
  return record({ cacheable: [], put: [], evict: [options] });
}

/** Several of `@Cacheable`, `@CachePut` and `@CacheEvict` as one decorator. */
export function Caching({ cacheable, put = [], evict = [] }: CachingOptions): MethodDecorator {
  return record({ cacheable: cacheable === undefined ? [] : [cacheable], put, evict });
}

/** Adds the rules to those of decorators that stand nearer to the method. */
function record(rules: CacheRules): MethodDecorator {
  return (target, name, descriptor: PropertyDescriptor | undefined) => {
    const method: unknown = descriptor?.value;
    if (typeof method !== 'function' || typeof target === 'function') {
      throw new CacheDecoratorError([
        `The cache decorators on ${String(name)}: it is no method of instances: put them on a method that is neither static nor an accessor`,
      ]);
    }
    const known = Reflect.getOwnMetadata(CACHE_RULES, method) as CacheRules | undefined;
    const merged: CacheRules = {
      cacheable: [...rules.cacheable, ...(known?.cacheable ?? [])],
      put: [...rules.put, ...(known?.put ?? [])],
      evict: [...rules.evict, ...(known?.evict ?? [])],
    };
    Reflect.defineMetadata(CACHE_RULES, merged, method);
    const names = (Reflect.getMetadata(CACHED_METHODS, target) ?? []) as readonly (
      string | symbol
    )[];
    if (!names.includes(name)) Reflect.defineMetadata(CACHED_METHODS, [...names, name], target);
  };
}
