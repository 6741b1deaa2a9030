import type { Clock } from '#libs/core';
import type { AccessTap } from '../engine/access-tap.js';

/** One read of a cache. */
export interface RecordedAccess {
  readonly key: string;
  /** Milliseconds since the Unix epoch, as exact as the coarse clock of the cache. */
  readonly atMs: number;
  /** Whether the first level answered. */
  readonly isHit: boolean;
  /** Who read, where that is known; an opaque text. */
  readonly client: string | undefined;
}

export interface AccessRecorderOptions {
  readonly clock: Clock;
  /** Reads that are kept, the last ones. 0 switches recording off. */
  readonly capacity: number;
  /** Whose read it is; asked for each one. Default: nobody's. */
  readonly clientOf?: () => string | undefined;
}

/** A share of the reads since a place in the recording. */
export interface AccessBatch {
  readonly accesses: readonly RecordedAccess[];
  /** Where the next batch begins. */
  readonly next: number;
  /** Reads that were overwritten before anybody asked for them. */
  readonly lost: number;
}

const FIRST_SLOTS = 64;
/** Later than every time that a clock gives: the coarse clock rests. */
const LATEST_MS = 8_640_000_000_000_000;

/**
 * Remembers the last reads of one namespace in a ring, so that they can be analysed beside the
 * traffic instead of in it. A read costs a few stores into arrays (`npm run bench:prefetch` prints
 * how many nanoseconds) and allocates nothing; the ring grows to its capacity with use, at 25 bytes
 * a read beside the keys themselves, which it keeps alive.
 */
export class AccessRecorder implements AccessTap {
  private readonly clock: Clock;
  private readonly clientOf: (() => string | undefined) | undefined;
  private limit: number;
  private slots = 0;
  private keys: string[] = [];
  private clients: (string | undefined)[] = [];
  private times = new Float64Array(0);
  private hits = new Uint8Array(0);
  /** Of all reads so far; the last one is at `(count - 1) % slots`. */
  private count = 0;
  /** Number of the oldest read that is kept. */
  private first = 0;

  constructor({ clock, capacity, clientOf }: AccessRecorderOptions) {
    this.clock = clock;
    this.clientOf = clientOf;
    this.limit = roundUp(capacity);
  }

  /** Reads since the recorder was made, kept or not. */
  get recorded(): number {
    return this.count;
  }

  get capacity(): number {
    return this.limit;
  }

  /** A smaller capacity forgets everything; 0 also switches recording off. */
  setCapacity(capacity: number): void {
    const limit = roundUp(capacity);
    if (limit < this.slots) this.clear();
    this.limit = limit;
  }

  record(key: string, isHit: boolean, coarseMs: number): void {
    const { count } = this;
    let slot = count & (this.slots - 1);
    if (count - this.first === this.slots) {
      if (this.slots < this.limit) {
        this.grow();
        slot = count & (this.slots - 1);
      } else if (this.limit === 0) return;
      else this.first += 1;
    }
    this.keys[slot] = key;
    this.hits[slot] = isHit ? 1 : 0;
    this.times[slot] = coarseMs <= LATEST_MS ? coarseMs : this.clock.nowMs();
    if (this.clientOf !== undefined) this.clients[slot] = this.clientOf();
    this.count = count + 1;
  }

  /** The reads that are kept, the oldest first; only those after `sinceMs` if that is given. */
  accesses(sinceMs = Number.NEGATIVE_INFINITY): RecordedAccess[] {
    const { accesses } = this.since(this.first);
    return sinceMs === Number.NEGATIVE_INFINITY
      ? [...accesses]
      : accesses.filter(({ atMs }) => atMs >= sinceMs);
  }

  /** The reads from number `from` on, as far as they are kept. */
  since(from: number): AccessBatch {
    const start = Math.max(from, this.first);
    const accesses: RecordedAccess[] = [];
    for (let at = start; at < this.count; at += 1) {
      const slot = at & (this.slots - 1);
      accesses.push({
        key: this.keys[slot] as string,
        atMs: this.times[slot] as number,
        isHit: this.hits[slot] === 1,
        client: this.clients[slot],
      });
    }
    return { accesses, next: this.count, lost: start - Math.max(0, Math.min(from, start)) };
  }

  /** Forgets every read; the count of all goes on. */
  clear(): void {
    this.first = this.count;
    this.slots = 0;
    this.keys = [];
    this.clients = [];
    this.times = new Float64Array(0);
    this.hits = new Uint8Array(0);
  }

  /** Doubles the ring; what is kept stays at its number. */
  private grow(): void {
    const kept = this.since(this.first).accesses;
    this.slots = this.slots === 0 ? Math.min(FIRST_SLOTS, this.limit) : this.slots * 2;
    this.keys = Array.from({ length: this.slots }, () => '');
    this.clients = Array.from({ length: this.slots }, () => undefined);
    this.times = new Float64Array(this.slots);
    this.hits = new Uint8Array(this.slots);
    for (const [index, access] of kept.entries()) {
      const slot = (this.first + index) & (this.slots - 1);
      this.keys[slot] = access.key;
      this.clients[slot] = access.client;
      this.times[slot] = access.atMs;
      this.hits[slot] = access.isHit ? 1 : 0;
    }
  }
}

/** Rings are powers of two, so that a place in them is a mask and not a division. */
function roundUp(capacity: number): number {
  return capacity <= 0 ? 0 : 2 ** Math.ceil(Math.log2(capacity));
}
