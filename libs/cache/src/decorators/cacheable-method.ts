import type { AnyFunction } from '#libs/core';
import type { EntryOptions } from '../engine/cache.options.js';
import type { KeyLoad } from '../learning/key-source.js';
import { entryKey } from '../keys/entry-key.js';
import type { CacheStrategyOptions, CacheStrategySource } from './cache-strategy.source.js';
import type { AnyCacheableOptions } from './cacheable.options.js';
import type { CachedMethod } from './cached-methods.js';
import {
  entryOptionsOf,
  type KeyReader,
  keyReader,
  type Report,
  type TagReader,
  tagReader,
  type VariantRules,
  variantRules,
} from './call-rules.js';
import type { RuleNamespace } from './rule-namespace.js';
import { CacheDecoratorError } from './errors/cache-decorator.error.js';
import type { MethodShape } from './method-shape.js';
import type { MethodCall } from './slots.js';

/** Default life of the engine, which `unless` has to say itself. */
const DEFAULT_TTL_MS = 60_000;

/** `@Cacheable` on one method, compiled. */
export class CacheableRule {
  readonly entryOptions: EntryOptions<never>;
  private readonly key: KeyReader;
  private readonly tags: TagReader;
  private readonly variants: VariantRules;

  constructor(
    readonly namespace: string,
    readonly options: AnyCacheableOptions,
    readonly shape: MethodShape,
    report: Report,
  ) {
    this.key = keyReader(options.key, shape, false, report);
    this.tags = tagReader(options.tags, shape, report);
    this.variants = variantRules(options.varyBy, options.version, report);
    this.entryOptions = withUnless(entryOptionsOf(options), options.unless);
  }

  get hasVariants(): boolean {
    return this.variants.hasVariants;
  }

  /** Whether the cache is used for a call. */
  applies(args: readonly unknown[]): boolean {
    const condition = this.options.condition as ((...args: unknown[]) => boolean) | undefined;
    return condition === undefined || condition(...args);
  }

  /** The key of a call, before its variant; undefined when it is not to use the cache. */
  baseOf(args: readonly unknown[]): string | undefined {
    return this.key({ args, result: undefined });
  }

  /** The key under which the value of a call is stored for whoever asks now. */
  entryKeyOf(args: readonly unknown[]): string | undefined {
    const base = this.baseOf(args);
    return base === undefined ? undefined : this.keyFrom(base);
  }

  keyFrom(base: string): string | undefined {
    if (!this.variants.hasVariants) return entryKey(base, undefined);
    const variant = this.variants.variant();
    return variant === undefined ? undefined : entryKey(base, variant);
  }

  /** What is said for one call beside the options of the namespace; undefined for nothing. */
  callOptions(
    base: string,
    args: readonly unknown[],
    entryOptions: EntryOptions<never> | undefined,
  ): EntryOptions<never> | undefined {
    const own = this.variants.tags(this.namespace, base);
    const { needsResult } = this.tags;
    const read = (call: MethodCall): readonly string[] => [...this.tags.read(call), ...own];
    const tags = needsResult
      ? (result: unknown) => read({ args, result })
      : read({ args, result: undefined });
    if (Array.isArray(tags) && tags.length === 0) return entryOptions;
    return { ...entryOptions, tags: tags as EntryOptions<never>['tags'] };
  }
}

export interface CacheableMethodParts {
  readonly rule: CacheableRule;
  readonly space: RuleNamespace;
  /** Who is told of each call. */
  readonly known: Pick<CachedMethod, 'onCall'>;
  /** Asked on each call for what the strategy says, if the decorator names one. */
  readonly strategies: CacheStrategySource | undefined;
}

/** What a call with these arguments does on a miss, for loading it without a caller. */
export function loadOfCall(
  method: AnyFunction,
  instance: object,
  { rule, space, strategies }: Omit<CacheableMethodParts, 'known'>,
  args: readonly unknown[],
): KeyLoad | undefined {
  const base = rule.applies(args) ? rule.baseOf(args) : undefined;
  if (base === undefined) return undefined;
  const strategy = strategyReader({ rule, strategies })?.();
  if (strategy?.isOff === true) return undefined;
  const options = rule.callOptions(base, args, strategy?.entryOptions ?? space.entryOptions);
  return {
    load: () => promised(method.apply(instance, [...args]), rule.shape.name),
    ...(options === undefined ? {} : { options: options as EntryOptions }),
  };
}

/** A method in front of which there is a cache. `this` and the arguments stay what they are. */
export function cacheMethod(method: AnyFunction, parts: CacheableMethodParts): AnyFunction {
  const { rule, space, known } = parts;
  const strategyOf = strategyReader(parts);
  return function cached(this: unknown, ...args: unknown[]): unknown {
    try {
      const strategy = strategyOf?.();
      if (strategy?.isOff === true || !rule.applies(args)) return method.apply(this, args);
      const base = rule.baseOf(args);
      const key = base === undefined ? undefined : rule.keyFrom(base);
      if (base === undefined || key === undefined) return method.apply(this, args);
      if (known.onCall !== undefined) known.onCall(key, args);
      const { cache } = space;
      const value = cache.hit(key);
      if (value !== undefined) return Promise.resolve(value);
      const entryOptions = strategy === undefined ? space.entryOptions : strategy.entryOptions;
      return cache.getOrSet(
        key,
        () => promised(method.apply(this, args), rule.shape.name),
        rule.callOptions(base, args, entryOptions) as EntryOptions | undefined,
      );
    } catch (error) {
      return failed(error);
    }
  };
}

interface StrategyState {
  readonly isOff: boolean;
  readonly entryOptions: EntryOptions<never> | undefined;
}

/** Joins what the strategy says with what the decorator says, anew only when it has changed. */
function strategyReader({
  rule,
  strategies,
}: Pick<CacheableMethodParts, 'rule' | 'strategies'>):
  (() => StrategyState | undefined) | undefined {
  const { strategy } = rule.options;
  if (strategy === undefined || strategies === undefined) return undefined;
  let seen: CacheStrategyOptions | undefined;
  let state: StrategyState | undefined;
  return () => {
    const options = strategies.optionsOf(strategy);
    if (options !== seen) {
      seen = options;
      state =
        options === undefined
          ? undefined
          : {
              isOff: options.enabled === false,
              entryOptions: withUnless(
                { ...entryOptionsOf(options), ...entryOptionsOf(rule.options) },
                rule.options.unless,
              ),
            };
    }
    return state;
  };
}

/** A life of nothing for values that are not to be stored. */
function withUnless(
  options: EntryOptions<never>,
  unless: AnyCacheableOptions['unless'],
): EntryOptions<never> {
  if (unless === undefined) return options;
  const isExempt = unless as (value: unknown) => boolean;
  const { ttlMs = DEFAULT_TTL_MS } = options as EntryOptions;
  return {
    ...options,
    ttlMs: (value: unknown, key: string) => {
      if (isExempt(value)) return 0;
      return typeof ttlMs === 'function' ? ttlMs(value, key) : ttlMs;
    },
  };
}

async function failed(error: unknown): Promise<never> {
  throw error;
}

/** @throws CacheDecoratorError for a method that gave something else than a promise */
function promised(result: unknown, name: string): Promise<unknown> {
  if (typeof result === 'object' && result !== null && 'then' in result) {
    return result as Promise<unknown>;
  }
  throw new CacheDecoratorError([`${name} has @Cacheable and returned no promise: make it async.`]);
}
