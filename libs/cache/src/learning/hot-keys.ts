import { TopKeys } from '../statistics/top-keys.js';
import { RecentMap } from './recent-map.js';

/** Reads after which the older half of what is known is forgotten. */
const READS_A_PERIOD = 65_536;
const PERIOD_MS = 3_600_000;
/** Weight of a new gap in the mean of the gaps. */
const GAP_WEIGHT = 0.2;

/** A key that is read often. */
export interface HotKey {
  readonly key: string;
  /** Reads of late, at most this many too high: `overcount`. */
  readonly reads: number;
  readonly overcount: number;
  /** Mean time between two reads, recent ones above all; undefined before the second. */
  readonly gapMs: number | undefined;
}

interface Arrival {
  lastAtMs: number;
  gapMs: number | undefined;
}

/** The keys that are read most of late, and how often each comes, in bounded memory. */
export class HotKeys {
  private current: TopKeys;
  private previous: TopKeys;
  private readonly arrivals: RecentMap<Arrival>;
  private readsOfPeriod = 0;
  private readsBefore = 0;
  private startedMs = Number.NaN;

  constructor(private readonly capacity = 1_024) {
    this.current = new TopKeys(capacity);
    this.previous = new TopKeys(capacity);
    this.arrivals = new RecentMap(4 * capacity);
  }

  /** Reads that the counts of `top` are a part of. */
  get reads(): number {
    return this.readsOfPeriod + this.readsBefore;
  }

  add(key: string, atMs: number): void {
    const isOver = !(atMs - this.startedMs < PERIOD_MS) || this.readsOfPeriod >= READS_A_PERIOD;
    if (isOver) this.turn(atMs);
    this.readsOfPeriod += 1;
    this.current.add(key);
    const arrival = this.arrivals.get(key);
    if (arrival === undefined) {
      this.arrivals.set(key, { lastAtMs: atMs, gapMs: undefined });
      return;
    }
    const gapMs = Math.max(0, atMs - arrival.lastAtMs);
    arrival.gapMs =
      arrival.gapMs === undefined ? gapMs : arrival.gapMs + GAP_WEIGHT * (gapMs - arrival.gapMs);
    arrival.lastAtMs = atMs;
  }

  /** The most read keys of this period and the one before. */
  top(limit: number): HotKey[] {
    const merged = new Map<string, { reads: number; overcount: number }>();
    for (const { key, count, overcount } of [
      ...this.current.top(this.capacity),
      ...this.previous.top(this.capacity),
    ]) {
      const known = merged.get(key) ?? { reads: 0, overcount: 0 };
      merged.set(key, { reads: known.reads + count, overcount: known.overcount + overcount });
    }
    return [...merged]
      .map(([key, { reads, overcount }]) => ({
        key,
        reads,
        overcount,
        gapMs: this.arrivals.get(key)?.gapMs,
      }))
      .sort((a, b) => b.reads - b.overcount - (a.reads - a.overcount))
      .slice(0, limit);
  }

  private turn(atMs: number): void {
    if (this.readsOfPeriod > 0) {
      this.previous = this.current;
      this.readsBefore = this.readsOfPeriod;
      this.current = new TopKeys(this.capacity);
      this.readsOfPeriod = 0;
    }
    this.startedMs = atMs;
  }
}
