import type { EntryOptions } from '../engine/cache.options.js';
import { canonicalArguments } from '../keys/canonical.js';
import { keyText, variantsTag } from '../keys/entry-key.js';
import type { MethodShape } from './method-shape.js';
import { compileForCall, type MethodCall } from './slots.js';
import { unknownScopes, userTag, variantReader } from './variant.js';
import type { VaryBy } from './cacheable.options.js';

/** Collects what is wrong with one decorator, so that boot tells everything at once. */
export type Report = (problem: string) => void;

type KeyOption = string | ((...args: never[]) => unknown) | undefined;
type TagOption = readonly string[] | ((value: never, ...args: never[]) => readonly string[]);

/** Reads a key from a call; undefined when the call is not to use the cache. */
export type KeyReader = (call: MethodCall) => string | undefined;

/** The key as `key` says; without it, all arguments. */
export function keyReader(
  key: KeyOption,
  shape: MethodShape,
  hasResult: boolean,
  report: Report,
): KeyReader {
  if (key === undefined) return ({ args }) => canonicalArguments(args);
  if (typeof key === 'string') {
    const compiled = compileForCall(key, shape, hasResult);
    if (compiled.isReady) return compiled.fill;
    report(compiled.problem);
    return () => undefined;
  }
  const compute = key as (...args: unknown[]) => unknown;
  return hasResult
    ? ({ result, args }) => keyText(compute(result, ...args))
    : ({ args }) => keyText(compute(...args));
}

/** Reads tags from a call. */
export interface TagReader {
  /** Whether they cannot be told before the method has run. */
  readonly needsResult: boolean;
  read(call: MethodCall): readonly string[];
}

const NO_TAGS: readonly string[] = [];

export function tagReader(
  tags: TagOption | undefined,
  shape: MethodShape,
  report: Report,
): TagReader {
  if (tags === undefined) return { needsResult: false, read: () => NO_TAGS };
  if (typeof tags === 'function') {
    const compute = tags as (...args: unknown[]) => readonly string[];
    return { needsResult: true, read: ({ result, args }) => compute(result, ...args) };
  }
  const compiled = tags.map((tag) => compileForCall(tag, shape, true));
  const fills = compiled.flatMap((template) => {
    if (template.isReady) return [template.fill];
    report(template.problem);
    return [];
  });
  return {
    needsResult: compiled.some((template) => template.isReady && template.needsResult),
    read: (call) => fills.map((fill) => fill(call)),
  };
}

/** What of the entries of a method does not come from its arguments. */
export interface VariantRules {
  readonly hasVariants: boolean;
  /** Undefined when the call cannot use the cache, or when there are no variants. */
  variant(): string | undefined;
  /** Tags that an entry has because of its variant. */
  tags(namespace: string, base: string): string[];
}

export function variantRules(
  varyBy: readonly VaryBy[] = [],
  version: string | number | undefined,
  report: Report,
): VariantRules {
  for (const scope of unknownScopes(varyBy)) {
    report(`varyBy has '${scope}': it may have 'user', 'tenant' and 'header:name'`);
  }
  const read = variantReader(varyBy, version);
  if (read === undefined) {
    return { hasVariants: false, variant: () => undefined, tags: () => [] };
  }
  const isPersonal = varyBy.includes('user');
  return {
    hasVariants: true,
    variant: read,
    tags(namespace, base) {
      const user = isPersonal ? userTag() : undefined;
      const tag = variantsTag(namespace, base);
      return user === undefined ? [tag] : [tag, user];
    },
  };
}

const ENTRY_OPTIONS = [
  'ttlMs',
  'maxTtlMs',
  'jitter',
  'levelTtlMs',
  'staleMs',
  'revalidateMs',
  'softTimeoutMs',
  'hardTimeoutMs',
  'errorThrottleMs',
  'refreshAhead',
  'xfetchBeta',
  'absentTtlMs',
  'errorTtlMs',
  'lease',
] as const satisfies readonly (keyof EntryOptions)[];

/** Those of the options that say how entries live, without their tags. */
export function entryOptionsOf(options: Omit<EntryOptions<never>, 'tags'>): EntryOptions<never> {
  return pick(options, ENTRY_OPTIONS);
}

/** The properties of an object that have these names and a value. */
export function pick<Source extends object, Name extends keyof Source>(
  source: Source,
  names: readonly Name[],
): Pick<Source, Name> {
  const picked = {} as Pick<Source, Name>;
  for (const name of names) if (source[name] !== undefined) picked[name] = source[name];
  return picked;
}
