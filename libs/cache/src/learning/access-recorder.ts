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
  /** Reads that are recorded until the next `refill`; what comes after them is not. Default: all. */
  readonly maxReads?: number;
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
/** Longest time between the first and the last read of a ring, so that a stamp fits 32 bits. */
const MAX_SPAN_MS = 2 ** 31 - 1;

/**
 * Remembers the last reads of one namespace in a ring, so that they can be analysed beside the
 * traffic instead of in it. A read costs two stores into arrays, three with the client
 * (`npm run bench:prefetch` prints the nanoseconds), and allocates nothing; the ring grows to its
 * capacity with use, at 12 bytes a read beside the keys themselves, which it keeps alive, 20 with
 * clients.
 */
export class AccessRecorder implements AccessTap {
  private readonly clock: Clock;
  private readonly clientOf: (() => string | undefined) | undefined;
  private limit: number;
  private mask = 0;
  private slots = 0;
  private keys: string[] = [];
  /** Empty while no read had a client. */
  private clients: (string | undefined)[] = [];
  /** Twice the milliseconds since `baseMs`, and one more for a hit. */
  private stamps = new Uint32Array(0);
  private baseMs = 0;
  /** Of the recorded reads so far; the last one is at `(count - 1) & mask`. */
  private count = 0;
  /** Number of the oldest read that is kept. */
  private first = 0;
  private readsLeft: number;

  /** Called when `maxReads` are recorded: nothing is until `refill`, so it need not be told. */
  onExhausted: (() => void) | undefined;

  constructor({ clock, capacity, clientOf, maxReads }: AccessRecorderOptions) {
    this.clock = clock;
    this.clientOf = clientOf;
    this.limit = roundUp(capacity);
    this.readsLeft = maxReads ?? Number.POSITIVE_INFINITY;
  }

  /** Reads that were recorded since the recorder was made, kept or not. */
  get recorded(): number {
    return this.count;
  }

  /** Reads that are kept. */
  get kept(): number {
    return this.count - this.first;
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

  /** Lets it record so many reads more. Whether it had stopped before. */
  refill(maxReads: number): boolean {
    const hadStopped = this.readsLeft <= 0;
    this.readsLeft = maxReads;
    return hadStopped;
  }

  record(key: string, isHit: boolean, coarseMs: number): void {
    this.recordOf(this.clientOf?.(), key, isHit, coarseMs);
  }

  /** As `record`, where the client is known already. */
  recordOf(client: string | undefined, key: string, isHit: boolean, coarseMs: number): void {
    if (this.limit === 0 || this.readsLeft <= 0) return;
    const sinceMs = exactMs(coarseMs, this.clock) - this.baseMs;
    const { count } = this;
    if (count - this.first === this.slots || !(sinceMs >= 0 && sinceMs <= MAX_SPAN_MS)) {
      this.makeRoom(sinceMs);
      this.recordOf(client, key, isHit, coarseMs);
      return;
    }
    const slot = count & this.mask;
    this.keys[slot] = key;
    this.stamps[slot] = sinceMs * 2 + (isHit ? 1 : 0);
    if (client !== undefined || this.clients.length > 0) this.setClient(slot, client);
    this.count = count + 1;
    this.readsLeft -= 1;
    if (this.readsLeft <= 0) this.onExhausted?.();
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
      const slot = at & this.mask;
      const stamp = this.stamps[slot] as number;
      accesses.push({
        key: this.keys[slot] as string,
        atMs: this.baseMs + (stamp >>> 1),
        isHit: (stamp & 1) === 1,
        client: this.clients[slot],
      });
    }
    return { accesses, next: this.count, lost: start - Math.max(0, Math.min(from, start)) };
  }

  /** Forgets every read; the count of all goes on. */
  clear(): void {
    this.first = this.count;
    this.allocate(0);
  }

  private setClient(slot: number, client: string | undefined): void {
    if (this.clients.length === 0) this.clients = Array.from({ length: this.slots });
    this.clients[slot] = client;
  }

  /** Makes a place for one read more: a new one, or that of the oldest. */
  private makeRoom(sinceMs: number): void {
    if (this.slots === 0 || !(sinceMs >= 0 && sinceMs <= MAX_SPAN_MS)) {
      // Nothing is kept yet, or the clock was set back, or weeks went by.
      this.first = this.count;
      this.allocate(Math.min(FIRST_SLOTS, this.limit));
      this.baseMs += sinceMs;
    } else if (this.slots < this.limit) this.grow();
    else this.first += 1;
  }

  /** Doubles the ring; what is kept stays at its number. */
  private grow(): void {
    const { mask, keys, clients, stamps } = this;
    this.allocate(this.slots * 2);
    for (let at = this.first; at < this.count; at += 1) {
      this.keys[at & this.mask] = keys[at & mask] as string;
      this.stamps[at & this.mask] = stamps[at & mask] as number;
      if (clients.length > 0) this.setClient(at & this.mask, clients[at & mask]);
    }
  }

  private allocate(slots: number): void {
    this.slots = slots;
    this.mask = slots - 1;
    this.keys = Array.from({ length: slots }, () => '');
    this.clients = [];
    this.stamps = new Uint32Array(slots);
  }
}

/** The time that a tap is told, which is no time while the coarse clock rests. */
export function exactMs(coarseMs: number, clock: Clock): number {
  return coarseMs <= LATEST_MS ? coarseMs : clock.nowMs();
}

/** Rings are powers of two, so that a place in them is a mask and not a division. */
function roundUp(capacity: number): number {
  return capacity <= 0 ? 0 : 2 ** Math.ceil(Math.log2(capacity));
}
