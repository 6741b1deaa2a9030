import type { EvictionPolicyFactory } from '../l1/eviction-policy.js';
import { CacheOptionsError } from '../errors/cache-options.error.js';
import type { TierStack } from './tier-stack.js';

/** What may be said for a whole cache, and again for a single call. */
export interface EntryOptions<Value = unknown> {
  /** How long a value is fresh, or a function of it and its key such as `learnedTtl`. Default 60,000. */
  readonly ttlMs?: number | ((value: Value, key: string) => number);
  /** No life is longer than this. Default one day. */
  readonly maxTtlMs?: number;
  /** Part of the life that is taken off at random, so that entries do not expire together; 0 to 1. Default 0.05. */
  readonly jitter?: number;
  /** Longest life by level; the first level's is also how long a missed message can matter. */
  readonly levelTtlMs?: Readonly<Partial<Record<'L1' | 'L2' | 'L3' | 'L4', number>>>;
  /** How long after its end an entry may stand in for a slow or failing loader. Default 0. */
  readonly staleMs?: number;
  /** How long after its end an entry is served at once, while a new one is loaded. Default 0. */
  readonly revalidateMs?: number;
  /** A stale entry is served when loading takes longer than this. */
  readonly softTimeoutMs?: number;
  /** Callers get `CacheLoadTimeoutError`, or what is stale, when loading takes longer than this. */
  readonly hardTimeoutMs?: number;
  /** After a failed refresh the stale entry is served for so long without another try. Default 1,000. */
  readonly errorThrottleMs?: number;
  /** Part of the life after which a hit starts a refresh; 0 to 1. Default none. */
  readonly refreshAhead?: number;
  /**
   * Refreshes early at random, the likelier the nearer the end and the slower the loader (XFetch,
   * Vattani et al., VLDB 2015). 1 is the paper's choice. Default none.
   */
  readonly xfetchBeta?: number;
  /** Life of `null` and `undefined`; without it null has the usual one and undefined none. */
  readonly absentTtlMs?: number;
  /** For how long a failure is answered with the same failure. Default 0. */
  readonly errorTtlMs?: number;
  /** Names that invalidate the entry, or a function of the value. */
  readonly tags?: readonly string[] | ((value: Value) => readonly string[]);
  /** One load among all processes, if the hub has leases. Default false. */
  readonly lease?: boolean;
}

export interface CacheOptions<Value = unknown> extends EntryOptions<Value> {
  /** Bound of the first level; 0 for a cache without one. Default 10,000. */
  readonly maxItems?: number;
  /** Bound of the first level. Default 32 MiB. */
  readonly maxBytes?: number;
  /** Default S3-FIFO. */
  readonly policy?: EvictionPolicyFactory;
  /** Every reader gets a copy of its own. Default false: readers share the object. */
  readonly clone?: boolean;
  /** Objects are frozen when they are stored, so that a reader who changes one fails. Default false. */
  readonly freeze?: boolean;
  /** Whether the shared levels are used. Default true. */
  readonly useTiers?: boolean;
  /** Shared levels of its own, the same in every process. Default those of the hub. */
  readonly stack?: TierStack;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly ttlMs: number | ((value: never, key: string) => number);
  readonly maxTtlMs: number;
  readonly jitter: number;
  readonly levelTtlMs: Readonly<Partial<Record<string, number>>>;
  readonly staleMs: number;
  readonly revalidateMs: number;
  readonly softTimeoutMs: number | undefined;
  readonly hardTimeoutMs: number | undefined;
  readonly errorThrottleMs: number;
  readonly refreshAhead: number | undefined;
  readonly xfetchBeta: number;
  readonly absentTtlMs: number | undefined;
  readonly errorTtlMs: number;
  readonly tags: readonly string[] | ((value: never) => readonly string[]);
  readonly lease: boolean;
}

const DEFAULTS: ResolvedOptions = {
  ttlMs: 60_000,
  maxTtlMs: 86_400_000,
  jitter: 0.05,
  levelTtlMs: {},
  staleMs: 0,
  revalidateMs: 0,
  softTimeoutMs: undefined,
  hardTimeoutMs: undefined,
  errorThrottleMs: 1_000,
  refreshAhead: undefined,
  xfetchBeta: 0,
  absentTtlMs: undefined,
  errorTtlMs: 0,
  tags: [],
  lease: false,
};

const DURATIONS = [
  'maxTtlMs',
  'staleMs',
  'revalidateMs',
  'softTimeoutMs',
  'hardTimeoutMs',
  'errorThrottleMs',
  'absentTtlMs',
  'errorTtlMs',
] as const;

/** The options of a cache, checked once. */
export function resolveOptions(options: EntryOptions<never>): ResolvedOptions {
  const resolved = mergeOptions(DEFAULTS, options);
  for (const name of DURATIONS) requireDuration(name, resolved[name]);
  if (typeof resolved.ttlMs === 'number') requireDuration('ttlMs', resolved.ttlMs);
  for (const [name, part] of [
    ['jitter', resolved.jitter],
    ['refreshAhead', resolved.refreshAhead ?? 0],
  ] as const) {
    if (!(part >= 0 && part <= 1)) {
      throw new CacheOptionsError(`The cache option ${name} is ${part}; it must be from 0 to 1.`);
    }
  }
  return resolved;
}

/** The options of a call over those of its cache; what is undefined stays as it is. */
export function mergeOptions(
  base: ResolvedOptions,
  changes: EntryOptions<never> | undefined,
): ResolvedOptions {
  if (changes === undefined) return base;
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    if (value !== undefined && name in base) merged[name] = value;
  }
  return merged as unknown as ResolvedOptions;
}

function requireDuration(name: string, value: number | undefined): void {
  if (value !== undefined && !(value >= 0 && Number.isFinite(value))) {
    throw new CacheOptionsError(`The cache option ${name} is ${value}; it must be 0 or more.`);
  }
}
