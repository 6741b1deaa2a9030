import { CachePolicyTakenError } from './errors/cache-policy-taken.error.js';
import { CachePolicyUnknownError } from './errors/cache-policy-unknown.error.js';
import type { EvictionPolicyFactory } from './eviction-policy.js';
import { AdaptivePolicy } from './policies/adaptive.policy.js';
import { FifoPolicy } from './policies/fifo.policy.js';
import { LearnedPolicy } from './policies/learned.policy.js';
import { LfuPolicy } from './policies/lfu.policy.js';
import { LruPolicy } from './policies/lru.policy.js';
import { RandomPolicy } from './policies/random.policy.js';
import { S3FifoPolicy } from './policies/s3-fifo.policy.js';
import { scoredBy, type EntryScore } from './policies/scored.policy.js';
import { SievePolicy } from './policies/sieve.policy.js';
import { WTinyLfuPolicy } from './policies/w-tiny-lfu.policy.js';

/**
 * Candidates of the `adaptive` policy. On 26 traces at 3 sizes the best of these three misses 0.12 %
 * more than the best of all policies, in the geometric mean; with W-TinyLFU it is 0.10 %, which
 * would not pay for another shadow.
 */
const ADAPTIVE_CANDIDATES = ['learned', 's3-fifo', 'lru'] as const;

/** The eviction policies by name: the built-in ones, and what an application adds. */
export class EvictionPolicyRegistry {
  private readonly factories = new Map<string, EvictionPolicyFactory>([
    ['s3-fifo', (table) => new S3FifoPolicy(table)],
    ['lru', (table) => new LruPolicy(table)],
    ['lfu', (table) => new LfuPolicy(table)],
    ['fifo', (table) => new FifoPolicy(table)],
    ['random', (table) => new RandomPolicy(table)],
    ['w-tinylfu', (table) => new WTinyLfuPolicy(table)],
    ['sieve', (table) => new SievePolicy(table)],
    ['learned', (table) => new LearnedPolicy(table)],
    ['adaptive', this.adaptive(ADAPTIVE_CANDIDATES)],
  ]);

  get names(): readonly string[] {
    return [...this.factories.keys()];
  }

  /** Throws `CACHE_POLICY_UNKNOWN` for a name that nobody registered. */
  get(name: string): EvictionPolicyFactory {
    const factory = this.factories.get(name);
    if (factory === undefined) throw new CachePolicyUnknownError(name, this.names);
    return factory;
  }

  /** Adds a policy. Throws `CACHE_POLICY_TAKEN` when there is one of this name. */
  register(name: string, factory: EvictionPolicyFactory): void {
    if (this.factories.has(name)) throw new CachePolicyTakenError(name);
    this.factories.set(name, factory);
  }

  /** Adds a policy that evicts what a function finds least worth keeping. */
  registerScore(name: string, score: EntryScore): void {
    this.register(name, scoredBy(name, score));
  }

  /** A policy that chooses among others; the first of them starts. */
  adaptive(candidates: readonly [string, ...string[]]): EvictionPolicyFactory {
    const candidate = (name: string) => ({ name, create: this.get(name) });
    return (table) => {
      const [first, ...others] = candidates;
      return new AdaptivePolicy(table, [candidate(first), ...others.map(candidate)]);
    };
  }
}
