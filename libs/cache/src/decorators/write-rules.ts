import type { AnyFunction } from '#libs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import type { EntryOptions } from '../engine/cache.options.js';
import type { Cache } from '../engine/cache.js';
import type { Caches } from '../managers/caches.js';
import { entryKey, variantsTag } from '../keys/entry-key.js';
import type { AnyEvictOptions, AnyPutOptions } from './cacheable.options.js';
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
import type { MethodShape } from './method-shape.js';
import type { MethodCall } from './slots.js';

/** Something that is done to the cache before or after a method runs. */
export interface WriteRule {
  readonly isBefore: boolean;
  apply(call: MethodCall): Promise<unknown>;
}

/** What write rules need of their process. */
export interface WriteParts {
  readonly caches: Caches;
  /** Whether entries of a namespace may have variants, as far as this process knows. */
  mayHaveVariants(namespace: string): boolean;
}

type Predicate = ((...args: unknown[]) => boolean) | undefined;

/** `@CacheEvict` on one method. */
export class EvictRule implements WriteRule {
  readonly isBefore: boolean;
  private readonly key: KeyReader | undefined;
  private readonly tags: TagReader;
  private readonly variants: VariantRules;

  constructor(
    private readonly options: AnyEvictOptions,
    shape: MethodShape,
    private readonly parts: WriteParts,
    report: Report,
  ) {
    const { key, tags, namespace, allEntries = false, beforeInvocation = false } = options;
    this.isBefore = beforeInvocation;
    this.key = key === undefined ? undefined : keyReader(key, shape, true, report);
    this.tags = tagReader(tags, shape, report);
    this.variants = variantRules(options.varyBy, options.version, report);
    if (key === undefined && tags === undefined && !allEntries) {
      report('it does not say what to evict: give tags, or a namespace with key or allEntries');
    }
    if (namespace === undefined && (key !== undefined || allEntries)) {
      report('its key or allEntries is of no namespace: give namespace');
    }
    if (beforeInvocation && this.needsResult(key)) {
      report('it evicts before the method runs, when there is no {result} yet: take the arguments');
    }
  }

  async apply(call: MethodCall): Promise<unknown> {
    const { condition, unless, namespace = '', allEntries } = this.options;
    if ((condition as Predicate)?.(...call.args) === false) return undefined;
    if (!this.isBefore && (unless as Predicate)?.(call.result) === true) return undefined;
    const tags = [...this.tags.read(call)];
    const { caches } = this.parts;
    const work: Promise<unknown>[] = [];
    if (allEntries === true) work.push(caches.clearNamespace(namespace));
    else if (this.key !== undefined) {
      const base = this.key(call);
      if (base !== undefined) work.push(this.evictKey(namespace, base, tags));
    }
    if (tags.length > 0) work.push(caches.invalidateTags(tags));
    return Promise.all(work);
  }

  /** The entry itself; when it may have variants, all of them by their tag. */
  private evictKey(namespace: string, base: string, tags: string[]): Promise<unknown> {
    const cache = cacheOf(this.parts.caches, namespace);
    if (this.variants.hasVariants) {
      const variant = this.variants.variant();
      if (variant !== undefined) return cache.delete(entryKey(base, variant));
    } else if (!this.parts.mayHaveVariants(namespace)) {
      return cache.delete(entryKey(base, undefined));
    }
    tags.push(variantsTag(namespace, base));
    return cache.delete(entryKey(base, undefined));
  }

  /** Whether a template names the result. Functions are given undefined for it. */
  private needsResult(key: AnyEvictOptions['key']): boolean {
    const { tags } = this.options;
    const isInKey = typeof key === 'string' && /\{result[.}]/.test(key);
    return isInKey || (typeof tags !== 'function' && this.tags.needsResult);
  }
}

/** `@CachePut` on one method. */
export class PutRule implements WriteRule {
  readonly isBefore = false;
  private readonly key: KeyReader;
  private readonly tags: TagReader;
  private readonly variants: VariantRules;
  private readonly entryOptions: EntryOptions<never>;

  constructor(
    private readonly options: AnyPutOptions,
    shape: MethodShape,
    private readonly parts: WriteParts,
    report: Report,
  ) {
    this.key = keyReader(options.key, shape, true, report);
    this.tags = tagReader(options.tags, shape, report);
    this.variants = variantRules(options.varyBy, options.version, report);
    this.entryOptions = entryOptionsOf(options);
  }

  async apply(call: MethodCall): Promise<unknown> {
    const { condition, unless, namespace } = this.options;
    if ((condition as Predicate)?.(...call.args) === false) return undefined;
    const base = this.key(call);
    if (base === undefined) return undefined;
    const { caches } = this.parts;
    const cache = cacheOf(caches, namespace);
    const { hasVariants } = this.variants;
    const variant = hasVariants ? this.variants.variant() : undefined;
    // What others see of the key is older than the result, whatever becomes of the caller's own.
    if (hasVariants || this.parts.mayHaveVariants(namespace)) {
      await caches.invalidateTags([variantsTag(namespace, base)]);
    }
    if (hasVariants && variant === undefined) return undefined;
    const key = entryKey(base, variant);
    if ((unless as Predicate)?.(call.result) === true) return cache.delete(key);
    const tags = [...this.tags.read(call), ...this.variants.tags(namespace, base)];
    return cache.set(key, call.result, { ...(this.entryOptions as EntryOptions), tags });
  }
}

/** A namespace that only others read is opened for writing, with no room in this process. */
function cacheOf(caches: Caches, namespace: string): Cache {
  return caches.find(namespace) ?? caches.open(namespace, { maxItems: 1, maxBytes: 1_024 });
}

/**
 * A method that applies write rules: those that come before it, then the method, then the others,
 * at once. Its caller gets the result when they are done; when it fails, they are left out.
 */
export function writeMethod(method: AnyFunction, rules: readonly WriteRule[]): AnyFunction {
  const before = rules.filter(({ isBefore }) => isBefore);
  const after = rules.filter(({ isBefore }) => !isBefore);
  const applyAll = (some: readonly WriteRule[], call: MethodCall) =>
    Promise.all(some.map((rule) => rule.apply(call)));
  return async function written(this: unknown, ...args: unknown[]): Promise<unknown> {
    if (before.length > 0) await applyAll(before, { args, result: undefined });
    const returned = method.apply(this, args);
    const result: unknown = await (isObservable(returned)
      ? lastValueFrom(returned, { defaultValue: undefined })
      : returned);
    if (after.length > 0) await applyAll(after, { args, result });
    return result;
  };
}
