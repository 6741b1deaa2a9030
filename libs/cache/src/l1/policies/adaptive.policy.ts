import {
  EvictionPolicy,
  recordHit,
  type EvictionPolicyFactory,
  type PolicyDescription,
} from '../eviction-policy.js';
import { PolicyDuel } from '../policy-duel.js';
import { ShadowCache } from '../shadow-cache.js';
import type { SlotTable } from '../slot-table.js';

/** Entries of a shadow for a large cache: enough to tell 1 % between policies, small in memory. */
const SHADOW_ENTRIES = 512;
/** Most of the keys that are sampled, for small caches: a hit pays for the shadows of its key. */
const MAX_RATE = 0.5;
const MIN_SHADOW_ITEMS = 4;

/** One of the policies that an adaptive one chooses from. */
export interface PolicyCandidate {
  readonly name: string;
  readonly create: EvictionPolicyFactory;
}

/**
 * Lets the policy rule that fits the workload. Each candidate rules a shadow cache of a sample of
 * the keys, chosen by hash, with the same part of the room (Waldspurger et al., "Cache Modeling and
 * Optimization using Miniature Simulations", ATC 2017); when one has missed significantly less than
 * the one in force, it takes over the entries.
 *
 * The first candidate starts. The shadows cost up to 512 entries of memory a candidate, and 30 to
 * 100 ns for each access to a sampled key.
 */
export class AdaptivePolicy extends EvictionPolicy {
  override readonly name = 'adaptive';
  override readonly usesHashes = true;
  private readonly duel: PolicyDuel;
  private shadows: ShadowCache[] = [];
  private current: EvictionPolicy;
  private rate = 1;
  /** Keys whose hash is below this are sampled. */
  private limit = 0;
  private switches = 0;
  private reason = 'it is the first candidate';

  constructor(
    table: SlotTable,
    private readonly candidates: readonly [PolicyCandidate, ...PolicyCandidate[]],
  ) {
    super(table);
    this.duel = new PolicyDuel(candidates.length);
    this.current = candidates[0].create(table);
    this.startShadows();
  }

  override reserve(slots: number): void {
    this.current.reserve(slots);
    this.startShadows();
  }

  override insert(slot: number): void {
    this.observe(slot);
    this.current.insert(slot);
  }

  override hit(slot: number): void {
    this.observe(slot);
    recordHit(this.current, this.table, slot);
  }

  override reweigh(slot: number, newWeight: number): void {
    this.current.reweigh(slot, newWeight);
  }

  override remove(slot: number): void {
    const hash = this.table.hashes[slot] as number;
    if (hash < this.limit) for (const shadow of this.shadows) shadow.delete(hash);
    this.current.remove(slot);
  }

  override evict(): number {
    return this.current.evict();
  }

  override order(): Iterable<number> {
    return this.current.order();
  }

  override clear(): void {
    this.current.clear();
    this.startShadows();
  }

  override adopt(order: Iterable<number>): void {
    this.current.adopt(order);
  }

  override describe(): PolicyDescription {
    return {
      inForce: this.candidates[this.duel.leader]?.name,
      reason: this.reason,
      switches: this.switches,
      sampleRate: this.rate,
      shadows: this.shadows.map((shadow, index) => ({
        policy: this.candidates[index]?.name,
        hitRatio: this.duel.hitRatio(index),
        state: shadow.policy.describe(),
      })),
      state: this.current.describe(),
    };
  }

  private observe(slot: number): void {
    const hash = this.table.hashes[slot] as number;
    if (hash >= this.limit) return;
    const weight = this.table.weights[slot] as number;
    const { shadows } = this;
    let outcome = 0;
    for (let index = 0; index < shadows.length; index += 1) {
      if ((shadows[index] as ShadowCache).access(hash, weight)) outcome |= 1 << index;
    }
    const verdict = this.duel.record(outcome);
    if (verdict !== undefined) {
      this.reason = verdict;
      this.install(this.duel.leader);
    }
  }

  private install(index: number): void {
    const shadow = this.shadows[index] as ShadowCache;
    const next = (this.candidates[index] as PolicyCandidate).create(this.table);
    next.adopt(this.current.order(), { policy: shadow.policy, rate: this.rate });
    this.current = next;
    this.switches += 1;
  }

  private startShadows(): void {
    const { slots, maxItems, maxBytes } = this.table;
    const items = Math.min(slots, maxItems);
    // A power of two, so that a model of ages can be scaled without loss.
    this.rate = 2 ** Math.floor(Math.log2(Math.min(MAX_RATE, SHADOW_ENTRIES / items)));
    this.limit = this.rate * 0x1_0000_0000;
    const shadowSlots = Math.max(MIN_SHADOW_ITEMS, Math.ceil(items * this.rate));
    const limits = {
      maxItems: Math.max(MIN_SHADOW_ITEMS, Math.round(maxItems * this.rate)),
      maxBytes: maxBytes * this.rate,
    };
    this.shadows = this.candidates.map(
      ({ create }) => new ShadowCache(create, shadowSlots, limits),
    );
    this.duel.restart(shadowSlots);
  }
}
