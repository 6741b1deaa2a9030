import type { Clock } from '#libs/core';
import type { CacheEntry } from '../entry/cache-entry.js';
import type { CacheTier, TierRead, TierWrite } from '../tier/cache-tier.js';
import { Gate, type Reply } from '../tier/gate.js';
import type { LevelCounts } from '../statistics/cache-statistics.js';
import type { HubTierOptions, LevelLimits, SharedLevel } from './hub.options.js';

const LEVELS: readonly SharedLevel[] = ['L2', 'L3', 'L4'];

/** A level with what keeps it from doing harm. */
export interface Level {
  readonly level: SharedLevel;
  /** Among the shared levels. */
  readonly index: number;
  readonly tier: CacheTier;
  readonly gate: Gate;
  /** One that is not is neither read nor filled; what is deleted leaves it all the same. */
  isEnabled: boolean;
  readonly counts: { -readonly [Name in keyof LevelCounts]: LevelCounts[Name] };
}

/** What a level answered, with the time from which its fence counts. */
export interface FencedRead extends TierRead {
  readonly askedAtMs: number;
}

/** The levels below the first. No method rejects; a level that does not answer is passed over. */
export class TierStack {
  readonly levels: readonly Level[];
  /** Longest lives by level, of everything that is stored from now on. */
  readonly ttlMs: Partial<Record<string, number>> = {};

  constructor(
    options: readonly HubTierOptions[],
    private readonly clock: Clock,
  ) {
    this.levels = options.map(({ tier, level, ...gate }, index) => ({
      level: level ?? (LEVELS[index] as SharedLevel),
      index,
      tier,
      gate: new Gate(tier.name, { clock, ...gate }),
      isEnabled: true,
      counts: {
        hits: 0,
        misses: 0,
        sets: 0,
        refused: 0,
        deletes: 0,
        errors: 0,
        skipped: 0,
        answered: 0,
        answeredMs: 0,
      },
    }));
  }

  /** Takes over what is given of the limits of a level, `L1` among them; whether there is such a level. */
  limit(name: string, { ttlMs, timeoutMs, isEnabled }: LevelLimits): boolean {
    const level = this.levels.find((one) => one.level === name);
    if (level === undefined && name !== 'L1') return false;
    if (ttlMs === null) delete this.ttlMs[name];
    else if (ttlMs !== undefined) this.ttlMs[name] = ttlMs;
    if (level !== undefined) {
      level.isEnabled = isEnabled ?? level.isEnabled;
      level.gate.timeoutMs = timeoutMs ?? level.gate.timeoutMs;
    }
    return true;
  }

  /** Undefined when the level does not answer. */
  async read(level: Level, keys: readonly string[]): Promise<FencedRead[] | undefined> {
    if (!level.isEnabled) return undefined;
    const askedAtMs = this.clock.monotonicMs();
    const reply = await level.gate.call('read', (call) => level.tier.getMany(keys, call));
    this.count(level, reply, askedAtMs);
    if (!reply.ok) return undefined;
    return reply.value.map(({ entry, fence, bytes }) => ({ entry, fence, bytes, askedAtMs }));
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
      const entries = entriesOf(level);
      const isDone = level.isEnabled
        ? await this.write(level, entries)
        : await this.dropFrom(
            level,
            entries.map(({ key }) => key),
          );
      isComplete = isDone && isComplete;
    }
    return isComplete;
  }

  /**
   * Deletes, the last level first: a reader that still finds the entry below has read the fences
   * above before they changed, so it cannot copy the entry upwards.
   */
  async drop(keys: readonly string[]): Promise<boolean> {
    let isComplete = true;
    for (const level of this.levels.toReversed()) {
      isComplete = (await this.dropFrom(level, keys)) && isComplete;
    }
    return isComplete;
  }

  private async dropFrom(level: Level, keys: readonly string[]): Promise<boolean> {
    const { gate, tier, counts } = level;
    const askedAtMs = this.clock.monotonicMs();
    const reply = await gate.call('delete', (call) => tier.deleteMany(keys, call));
    this.count(level, reply, askedAtMs);
    if (reply.ok) counts.deletes += reply.value;
    return reply.ok;
  }

  private async write(level: Level, writes: readonly TierWrite[]): Promise<boolean> {
    const { gate, tier, counts } = level;
    const askedAtMs = this.clock.monotonicMs();
    const reply = await gate.call('write', (call) => tier.setMany(writes, call));
    this.count(level, reply, askedAtMs);
    if (!reply.ok) return false;
    const stored = reply.value.filter(Boolean).length;
    counts.sets += stored;
    counts.refused += reply.value.length - stored;
    return true;
  }

  private count({ counts }: Level, reply: Reply<unknown>, askedAtMs: number): void {
    if (reply.ok) {
      counts.answered += 1;
      counts.answeredMs += this.clock.monotonicMs() - askedAtMs;
    } else if (reply.isTried) counts.errors += 1;
    else counts.skipped += 1;
  }
}
