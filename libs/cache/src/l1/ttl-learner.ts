import { SystemClock, type Clock } from '#libs/core';
import { MemoryStore } from './memory-store.js';

/** What remains of a key's older observations at each of its loads. */
const KEY_DECAY = 0.99;
/** What remains of the averages over all keys at each load. */
const AVERAGE_DECAY = 0.9995;
const BALANCE_DECAY = 0.9999;
/** Where everything starts: a change a minute, and a tenth of the geometric mean of both periods. */
const FIRST_CHANGE_PERIOD_MS = 60_000;
const FIRST_SCALE = 0.1;
/** Reads' worth of the first scale. */
const SCALE_PRIOR_READS = 200;
/**
 * Observations' worth of the average that keys lean on. Small, because a few hot keys are far from
 * the average of many cold ones, and most reads are theirs.
 */
const CHANGE_PRIOR = 0.3;
const READ_PRIOR = 0.1;
/** The lives aim this much below the bound. */
const AIM = 0.95;
/** End of a life in which a read must be likely before refreshing ahead pays. */
const AHEAD_SHARE = 0.2;

/** What bounds the lives that a `TtlLearner` gives. */
export interface TtlLearnerOptions {
  /** Part of the reads that may get a value which has changed at its source. Default 0.01. */
  readonly maxStaleRatio?: number;
  /** Default 1 second. */
  readonly minTtlMs?: number;
  /** Default 1 hour. */
  readonly maxTtlMs?: number;
  /** Keys that are remembered, at about 250 bytes each. Default 10,000. */
  readonly maxKeys?: number;
  readonly clock?: Clock;
}

/** The life that a value is given. */
export interface LearntTtl {
  readonly ttlMs: number;
  /** Whether a read is likely in the last fifth of the life, so that refreshing ahead pays. */
  readonly refreshAhead: boolean;
}

/** What is known of a key; counts fade with each load. */
interface KeyHistory {
  version: string | number;
  loadedAtMs: number;
  ttlMs: number;
  /** The scale that the life was given by. */
  scale: number;
  intervals: number;
  changes: number;
  intervalMs: number;
  waits: number;
  waitMs: number;
}

/** Changes and reads per millisecond. */
interface Rates {
  readonly changes: number;
  readonly reads: number;
}

/**
 * Gives values lives by how often they change and how often they are read, so that loads are few
 * while the part of stale reads, over all keys, stays at a bound.
 *
 * A key that changes c times and is read r times a second causes 1/t loads and about r·c·t/2 stale
 * reads a second if its life is t. The fewest loads at a given number of stale reads are had when t
 * is proportional to 1/√(r·c) (Lagrange); the factor, the same for all keys, follows from the
 * stale reads that were observed per unit of it.
 *
 * Reads cost nothing, all is learnt from loads: c from whether the value had changed, corrected for
 * changes that hide one another (Cho and Garcia-Molina, "Estimating Frequency of Change", ACM TOIT
 * 2003), 1/r from the time between the end of a life and the read that brings the next load. Keys
 * with few observations lean on the average of all.
 */
export class TtlLearner {
  private readonly maxStaleRatio: number;
  private readonly minTtlMs: number;
  private readonly maxTtlMs: number;
  private readonly clock: Clock;
  private readonly keys: MemoryStore<KeyHistory>;
  private readonly average = { changes: 0, intervalMs: 0, waits: 1, waitMs: 10_000 };
  /** Reads, and stale ones divided by the scale that they were caused by. */
  private reads = 0;
  private staleReadsPerScale = 0;

  constructor(options: TtlLearnerOptions = {}) {
    this.maxStaleRatio = options.maxStaleRatio ?? 0.01;
    this.minTtlMs = options.minTtlMs ?? 1_000;
    this.maxTtlMs = options.maxTtlMs ?? 3_600_000;
    this.clock = options.clock ?? new SystemClock();
    this.keys = new MemoryStore<KeyHistory>({
      maxItems: options.maxKeys ?? 10_000,
      maxBytes: Number.POSITIVE_INFINITY,
      sizer: () => 0,
    });
  }

  /**
   * To be told of each load of a key, with anything that is equal as long as the value is: a
   * version, an ETag, a digest. The life for the value that was loaded.
   */
  loaded(key: string, version: string | number): LearntTtl {
    const nowMs = this.clock.nowMs();
    let history = this.keys.get(key);
    if (history === undefined) {
      history = newHistory();
      this.keys.set(key, history);
    } else {
      this.learn(history, nowMs, history.version !== version);
    }
    const { changes, reads } = this.ratesOf(history);
    const scale = this.scale();
    const ttlMs = Math.min(
      this.maxTtlMs,
      Math.max(this.minTtlMs, scale / Math.sqrt(changes * reads)),
    );
    history.version = version;
    history.loadedAtMs = nowMs;
    history.ttlMs = ttlMs;
    history.scale = scale;
    return { ttlMs, refreshAhead: AHEAD_SHARE * ttlMs * reads > 1 };
  }

  /** What has been learnt about one key, for people; nothing about a key that was never loaded. */
  describe(key: string): Readonly<Record<string, number>> | undefined {
    const history = this.keys.peek(key)?.value;
    if (history === undefined) return undefined;
    const { changes, reads } = this.ratesOf(history);
    return { ttlMs: history.ttlMs, changePeriodMs: 1 / changes, readPeriodMs: 1 / reads };
  }

  private learn(history: KeyHistory, nowMs: number, hasChanged: boolean): void {
    const { average } = this;
    const intervalMs = nowMs - history.loadedAtMs;
    const changes = hasChanged ? 1 : 0;
    history.intervals = history.intervals * KEY_DECAY + 1;
    history.changes = history.changes * KEY_DECAY + changes;
    history.intervalMs = history.intervalMs * KEY_DECAY + intervalMs;
    average.changes = average.changes * AVERAGE_DECAY + changes;
    average.intervalMs = average.intervalMs * AVERAGE_DECAY + intervalMs;
    const waitMs = intervalMs - history.ttlMs;
    // A load before the end of the life was a refresh: it says nothing about reads.
    if (waitMs >= 0) {
      history.waits = history.waits * KEY_DECAY + 1;
      history.waitMs = history.waitMs * KEY_DECAY + waitMs;
      average.waits = average.waits * AVERAGE_DECAY + 1;
      average.waitMs = average.waitMs * AVERAGE_DECAY + waitMs;
    }
    this.balance(history, intervalMs, hasChanged);
  }

  /** Adds the reads of the life that has ended, and how many of them were stale as far as is known. */
  private balance(history: KeyHistory, intervalMs: number, hasChanged: boolean): void {
    const rates = this.ratesOf(history);
    const reads = rates.reads * history.ttlMs;
    this.reads = this.reads * BALANCE_DECAY + reads + 1;
    this.staleReadsPerScale *= BALANCE_DECAY;
    if (!hasChanged) return;
    const expected = rates.changes * history.ttlMs;
    const staleShare = expected > 1e-4 ? 1 - (1 - Math.exp(-expected)) / expected : expected / 2;
    const chanceOfChange = 1 - Math.exp(-rates.changes * intervalMs);
    this.staleReadsPerScale += (reads * staleShare) / chanceOfChange / history.scale;
  }

  private scale(): number {
    const aim = AIM * this.maxStaleRatio;
    const priorStaleReads = (aim * SCALE_PRIOR_READS) / FIRST_SCALE;
    return (aim * (this.reads + SCALE_PRIOR_READS)) / (this.staleReadsPerScale + priorStaleReads);
  }

  private ratesOf(history: KeyHistory): Rates {
    const { average } = this;
    const averageChanges =
      (average.changes + 0.5) / (average.intervalMs + 0.5 * FIRST_CHANGE_PERIOD_MS);
    const { intervals } = history;
    const hidden = (intervals - history.changes + 0.5) / (intervals + 0.5);
    const changes = intervals === 0 ? 0 : -intervals * Math.log(hidden);
    return {
      changes: (changes + CHANGE_PRIOR) / (history.intervalMs + CHANGE_PRIOR / averageChanges),
      reads:
        (history.waits + READ_PRIOR) /
        (history.waitMs + (READ_PRIOR * average.waitMs) / average.waits),
    };
  }
}

function newHistory(): KeyHistory {
  return {
    version: '',
    loadedAtMs: 0,
    ttlMs: 0,
    scale: 0,
    intervals: 0,
    changes: 0,
    intervalMs: 0,
    waits: 0,
    waitMs: 0,
  };
}
