import type { Answer } from '../../engine/answer.js';
import type { Cache } from '../../engine/cache.js';
import type { EntryOptions } from '../../engine/cache.options.js';
import type { InvalidationReceipt } from '../../engine/hub-parts.js';
import type { Load } from '../../engine/loader.js';
import type { PolicyDescription } from '../../l1/eviction-policy.js';
import type { Caches, NamespaceOptions } from '../../managers/caches.js';
import type { CacheStatistics } from '../../statistics/cache-statistics.js';
import { type CacheStrategy, isInUse } from '../model/cache-strategy.js';
import type { KeyPatternRule } from '../model/strategy.schemas.js';
import type { OwnLevels } from './strategy-levels.js';
import type { PolicySwitch } from './switchable-policy.js';

/** In front of the namespace that belongs to a strategy alone. */
export const NAMESPACE_PREFIX = 'strategy.';

/** What entries are stored with. */
export interface StrategyEntryOptions extends Omit<EntryOptions, 'tags'> {
  readonly enabled: boolean;
}

/** Levels that hold nothing in memory: what is read is read from the shared ones. */
const WITHOUT_MEMORY = { L1: 0 };

export interface StrategyStoreParts {
  readonly caches: Caches;
  readonly levels: OwnLevels;
  /** Rules its namespaces, those that were open before it too. */
  readonly policy: PolicySwitch;
}

/**
 * A strategy at work: a namespace of its own, and those of the methods that name it, all with its
 * levels, size, lives and policy. Changes of the configuration take effect at once, without losing
 * entries; while it is disabled every read goes to its loader.
 */
export class StrategyStore {
  readonly namespace: string;
  /** Reads and writes that went past the cache, because the strategy was disabled. */
  passed = 0;
  private readonly cache: Cache;
  private readonly policy: PolicySwitch;
  private readonly namespaces: Set<string>;
  private entryOptions: StrategyEntryOptions;

  constructor(
    private strategy: CacheStrategy,
    private readonly parts: StrategyStoreParts,
  ) {
    const { configuration, name } = strategy;
    this.namespace = NAMESPACE_PREFIX + name;
    this.policy = parts.policy;
    this.policy.switchTo(configuration.policy);
    this.entryOptions = entryOptionsOf(strategy);
    this.namespaces = new Set([this.namespace]);
    parts.levels.codec.compressFrom(configuration.compressFromBytes);
    this.cache = parts.caches.open(this.namespace, {
      ...this.openingOptions(),
      kind: configuration.kind,
    });
  }

  get current(): CacheStrategy {
    return this.strategy;
  }

  /** What the entries are stored with. The same object until the configuration changes. */
  get options(): StrategyEntryOptions {
    return this.entryOptions;
  }

  /** What a namespace is opened with to be ruled by this strategy, and counted to it. */
  adopt(namespace: string): NamespaceOptions {
    this.namespaces.add(namespace);
    this.rule();
    return this.openingOptions();
  }

  /** Takes over a newer state of the strategy. */
  configure(strategy: CacheStrategy): void {
    const { levels } = this.parts;
    const before = this.strategy;
    const { configuration } = strategy;
    this.strategy = strategy;
    this.entryOptions = entryOptionsOf(strategy);
    this.policy.switchTo(configuration.policy);
    if (configuration.compressFromBytes !== before.configuration.compressFromBytes) {
      levels.codec.compressFrom(configuration.compressFromBytes);
    }
    this.rule();
  }

  /** The value of the key, loaded if there is none that is fresh; always, while disabled. */
  async getOrSet<Value>(key: string, load: Load<Value>): Promise<Value> {
    if (isInUse(this.strategy)) {
      return (await this.cache.getOrSet(key, load, this.entryOptions)) as Value;
    }
    this.passed += 1;
    return load({ key, signal: new AbortController().signal });
  }

  /** What is there of the key. */
  async get(key: string): Promise<Answer | undefined> {
    if (isInUse(this.strategy)) return this.cache.getEntry(key);
    this.passed += 1;
    return undefined;
  }

  /** Undefined while the strategy is disabled. */
  async set(key: string, value: unknown, ttlMs?: number): Promise<InvalidationReceipt | undefined> {
    if (!isInUse(this.strategy)) {
      this.passed += 1;
      return undefined;
    }
    const options = ttlMs === undefined ? this.entryOptions : { ...this.entryOptions, ttlMs };
    return this.cache.set(key, value, options);
  }

  delete(key: string): Promise<InvalidationReceipt> {
    return this.cache.delete(key);
  }

  /** Of its own namespace and those it rules, as long as they are open. */
  statistics(topKeys = 0): CacheStatistics[] {
    return this.openNamespaces().map((cache) => cache.statistics(topKeys));
  }

  openNamespaces(): Cache[] {
    return [...this.namespaces].flatMap((name) => this.parts.caches.find(name) ?? []);
  }

  /** Below memory, the fastest first. */
  levels(): { level: string; store: string; state: string }[] {
    return this.parts.levels.stack.levels.map(({ level, tier, gate }) => ({
      level,
      store: tier.name,
      state: gate.breaker.state,
    }));
  }

  /** What the policy in force tells of itself. */
  policyState(): PolicyDescription {
    return this.policy.describe();
  }

  /** Empties its namespaces in every process. */
  async clear(): Promise<void> {
    for (const namespace of this.namespaces) await this.parts.caches.clearNamespace(namespace);
  }

  /** Lets go of its own namespace. Those of methods go on with what they have. */
  async close(): Promise<void> {
    this.parts.caches.close(this.namespace);
    await Promise.all(this.parts.levels.stack.levels.map(({ tier }) => tier.close()));
  }

  /** The namespaces of a strategy share its room in equal parts. */
  private get bounds(): { readonly maxBytes: number; readonly maxItems: number } {
    const { maxBytes, maxItems } = this.strategy.configuration;
    const { size } = this.namespaces;
    return { maxBytes: Math.floor(maxBytes / size), maxItems: Math.ceil(maxItems / size) };
  }

  private rule(): void {
    const { enabled: _, ...entries } = this.entryOptions;
    for (const namespace of this.namespaces) {
      this.parts.caches.resize(namespace, this.bounds);
      this.parts.caches.find(namespace)?.configure(entries);
    }
  }

  private openingOptions(): NamespaceOptions {
    const { configuration, type } = this.strategy;
    const { levels } = this.parts;
    return {
      ...this.bounds,
      ttlMs: configuration.ttlMs,
      policy: this.policy.factory,
      stack: levels.stack,
      ...(hasMemory(type) ? {} : { levelTtlMs: WITHOUT_MEMORY }),
    };
  }
}

function hasMemory(type: CacheStrategy['type']): boolean {
  return type === 'memory' || type === 'hybrid';
}

function entryOptionsOf(strategy: CacheStrategy): StrategyEntryOptions {
  const { configuration, type } = strategy;
  return {
    enabled: isInUse(strategy),
    ttlMs: ttlOf(configuration.ttlMs, configuration.keyPatterns),
    ...(hasMemory(type) ? {} : { levelTtlMs: WITHOUT_MEMORY }),
  };
}

/** A number as long as no pattern has a life of its own: that costs nothing. */
function ttlOf(
  ttlMs: number,
  patterns: readonly KeyPatternRule[],
): number | ((value: unknown, key: string) => number) {
  const rules = patterns.flatMap((rule) =>
    rule.ttlMs === undefined ? [] : [{ matches: matcherOf(rule.pattern), ttlMs: rule.ttlMs }],
  );
  if (rules.length === 0) return ttlMs;
  return (_value, key) => rules.find(({ matches }) => matches.test(key))?.ttlMs ?? ttlMs;
}

/** Variables stand for what lies between two separators, one for each, which bounds the time of a match. */
function matcherOf(pattern: string): RegExp {
  const escaped = pattern
    .split(/(\{\w+\})/)
    .map((part) =>
      part.startsWith('{') ? '[^:/|.@,;?&=]*' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    );
  return new RegExp(`^${escaped.join('')}`);
}
