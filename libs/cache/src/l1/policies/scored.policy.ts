import { EvictionPolicy, type EvictionPolicyFactory } from '../eviction-policy.js';
import { RandomSource } from '../random-source.js';
import { SlotSet } from '../slot-set.js';
import { grown, type SlotTable } from '../slot-table.js';

const CANDIDATES = 16;

/** What a score may go by. The same object serves every call: do not keep it. */
export interface ScoredEntry {
  /** Empty in a shadow cache, which knows no keys. */
  readonly key: string;
  readonly weightBytes: number;
  /** Hits since it came. */
  readonly hits: number;
  /** Accesses to the cache since it came. */
  readonly age: number;
  /** Accesses to the cache since it was used last. */
  readonly idle: number;
}

/** What an entry is worth keeping; the lowest leaves. */
export type EntryScore = (entry: ScoredEntry) => number;

/** Evicts the lowest score among 16 entries drawn at random, or among all if there are no more. */
export class ScoredPolicy extends EvictionPolicy {
  private readonly members: SlotSet;
  private readonly random = new RandomSource();
  private readonly entry = { key: '', weightBytes: 0, hits: 0, age: 0, idle: 0 };
  private births: Uint32Array;
  private lastUses: Uint32Array;
  private hits: Uint32Array;
  private now = 0;

  constructor(
    table: SlotTable,
    override readonly name: string,
    private readonly score: EntryScore,
  ) {
    super(table);
    this.members = new SlotSet(table.slots);
    this.births = new Uint32Array(table.slots);
    this.lastUses = new Uint32Array(table.slots);
    this.hits = new Uint32Array(table.slots);
  }

  override reserve(slots: number): void {
    this.members.reserve(slots);
    this.births = grown(this.births, slots);
    this.lastUses = grown(this.lastUses, slots);
    this.hits = grown(this.hits, slots);
  }

  override insert(slot: number): void {
    this.now = (this.now + 1) >>> 0;
    this.members.add(slot);
    this.births[slot] = this.now;
    this.lastUses[slot] = this.now;
    this.hits[slot] = 0;
  }

  override hit(slot: number): void {
    this.now = (this.now + 1) >>> 0;
    this.lastUses[slot] = this.now;
    this.hits[slot] = (this.hits[slot] as number) + 1;
  }

  override remove(slot: number): void {
    this.members.delete(slot);
  }

  override evict(): number {
    const { members } = this;
    const all = members.size <= CANDIDATES;
    const candidates = all ? members.size : CANDIDATES;
    let victim = members.at(0);
    let least = Number.POSITIVE_INFINITY;
    for (let candidate = 0; candidate < candidates; candidate += 1) {
      const slot = members.at(all ? candidate : this.random.below(members.size));
      const score = this.scoreOf(slot);
      if (score >= least) continue;
      least = score;
      victim = slot;
    }
    members.delete(victim);
    return victim;
  }

  override *order(): Generator<number> {
    const scores = new Map([...this.members].map((slot) => [slot, this.scoreOf(slot)]));
    yield* [...scores].sort(([, a], [, b]) => a - b).map(([slot]) => slot);
  }

  override clear(): void {
    this.members.clear();
  }

  private scoreOf(slot: number): number {
    const { entry, table } = this;
    entry.key = table.keys[slot] ?? '';
    entry.weightBytes = table.weights[slot] as number;
    entry.hits = this.hits[slot] as number;
    entry.age = (this.now - (this.births[slot] as number)) >>> 0;
    entry.idle = (this.now - (this.lastUses[slot] as number)) >>> 0;
    return this.score(entry);
  }
}

/** A policy from a function that says what an entry is worth. */
export function scoredBy(name: string, score: EntryScore): EvictionPolicyFactory {
  return (table) => new ScoredPolicy(table, name, score);
}
