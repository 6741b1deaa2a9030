import type { Clock } from '#libs/core';
import type { CacheEntry } from '../entry/cache-entry.js';
import type { CacheTier, TierRead, TierWrite } from '../tier/cache-tier.js';
import { Gate } from '../tier/gate.js';
import type { HubTierOptions } from './hub.options.js';

export type SharedLevel = 'L2' | 'L3' | 'L4';
const LEVELS: readonly SharedLevel[] = ['L2', 'L3', 'L4'];

/** Counts of one level below the first. */
export interface LevelCounts {
  hits: number;
  misses: number;
  sets: number;
  /** Writes that were refused because the key was invalidated meanwhile. */
  refused: number;
  deletes: number;
  unavailable: number;
}

/** A level with what keeps it from doing harm. */
export interface Level {
  readonly level: SharedLevel;
  readonly tier: CacheTier;
  readonly gate: Gate;
  readonly counts: LevelCounts;
}

/** What a level answered, with the time from which its fence counts. */
export interface FencedRead extends TierRead {
  readonly askedAtMs: number;
}

/** The levels below the first. No method rejects; a level that does not answer is passed over. */
export class TierStack {
  readonly levels: readonly Level[];

  constructor(
    options: readonly HubTierOptions[],
    private readonly clock: Clock,
  ) {
    this.levels = options.map(({ tier, ...gate }, index) => ({
      level: LEVELS[index] as SharedLevel,
      tier,
      gate: new Gate(tier.name, { clock, ...gate }),
      counts: { hits: 0, misses: 0, sets: 0, refused: 0, deletes: 0, unavailable: 0 },
    }));
  }

  /** Undefined when the level does not answer. */
  async read(level: Level, keys: readonly string[]): Promise<FencedRead[] | undefined> {
    const askedAtMs = this.clock.monotonicMs();
    const reply = await level.gate.call('read', (call) => level.tier.getMany(keys, call));
    if (!reply.ok) {
      level.counts.unavailable += 1;
      return undefined;
    }
    return reply.value.map(({ entry, fence }) => ({ entry, fence, askedAtMs }));
  }

  /** Stores where nothing happened to the keys since their fences were read; whether it answered. */
  async fill(
    level: Level,
    writes: readonly { key: string; entry: CacheEntry; read: FencedRead }[],
  ): Promise<boolean> {
    const nowMs = this.clock.monotonicMs();
    const timely = writes.filter(({ read }) => nowMs - read.askedAtMs < level.tier.fenceMs / 2);
    if (timely.length === 0) return true;
    return this.write(
      level,
      timely.map(({ key, entry, read }) => ({ key, entry, fence: read.fence })),
    );
  }

  /** Stores whatever is there, the last level first; whether every level has done it. */
  async put(entriesOf: (level: Level) => readonly TierWrite[]): Promise<boolean> {
    let isComplete = true;
    for (const level of this.levels.toReversed()) {
      isComplete = (await this.write(level, entriesOf(level))) && isComplete;
    }
    return isComplete;
  }

  /**
   * Deletes, the last level first: a reader that still finds the entry below has read the fences
   * above before they changed, so it cannot copy the entry upwards.
   */
  async drop(keys: readonly string[]): Promise<boolean> {
    let isComplete = true;
    for (const { gate, tier, counts } of this.levels.toReversed()) {
      const reply = await gate.call('delete', (call) => tier.deleteMany(keys, call));
      if (reply.ok) counts.deletes += reply.value;
      else isComplete = false;
    }
    return isComplete;
  }

  private async write(level: Level, writes: readonly TierWrite[]): Promise<boolean> {
    const { gate, tier, counts } = level;
    const reply = await gate.call('write', (call) => tier.setMany(writes, call));
    if (!reply.ok) return false;
    const stored = reply.value.filter(Boolean).length;
    counts.sets += stored;
    counts.refused += reply.value.length - stored;
    return true;
  }
}
