/** Whose requests share a budget. */
export type LimitedBy = 'user' | 'key' | 'address' | 'organization';

export interface RatePolicyOptions {
  /** Policies of one name share their budgets. Letters, digits, dots, dashes. */
  readonly name: string;
  readonly by: LimitedBy;
  /** Most requests at once: the size of the bucket. */
  readonly capacity: number;
  /** So many of them come back in each period, evenly spread. A whole number. */
  readonly refill: number;
  readonly periodMs: number;
}

const MAX_CAPACITY = 1_000_000;
const MAX_PERIOD_MS = 3_600_000;
/** What a string of a structured field (RFC 9651) cannot hold, or only escaped. */
const NOT_IN_HEADER = /[^\x20-\x7e]|["\\]/g;

/**
 * How many requests are let through: never more than `capacity + refill × time / period` in any span
 * of time. All arithmetic is in whole units, of which a request ("cell") costs as many as a period
 * has microseconds, and of which each microsecond gives back `refill`. The largest number, that of a
 * full bucket, is below 2^53, so that doubles are exact.
 */
export class RatePolicy {
  readonly name: string;
  readonly by: LimitedBy;
  readonly capacity: number;
  readonly refill: number;
  readonly periodMs: number;
  /** Units that a request costs. */
  readonly cellUnits: number;
  /** Units of a full bucket. */
  readonly capacityUnits: number;
  /** Time in which one request comes back. */
  readonly cellUs: number;
  /** The item of this policy in the header `RateLimit-Policy`. */
  readonly header: string;
  /** Start of its item in the header `RateLimit`. */
  readonly headerStart: string;

  /** @throws RangeError when a number is not whole or too large to be exact */
  constructor({ name, by, capacity, refill, periodMs }: RatePolicyOptions) {
    const isWhole = [capacity, refill, periodMs].every(
      (one) => Number.isSafeInteger(one) && one > 0,
    );
    if (!isWhole || capacity > MAX_CAPACITY || refill > MAX_CAPACITY || periodMs > MAX_PERIOD_MS) {
      throw new RangeError(
        `Rate limit "${name}": capacity and refill must be whole numbers from 1 to ${MAX_CAPACITY}, ` +
          `and a period at most ${MAX_PERIOD_MS} ms.`,
      );
    }
    this.name = name;
    this.by = by;
    this.capacity = capacity;
    this.refill = refill;
    this.periodMs = periodMs;
    this.cellUnits = periodMs * 1_000;
    this.capacityUnits = capacity * this.cellUnits;
    this.cellUs = this.cellUnits / refill;
    const windowSeconds = Math.ceil((capacity * periodMs) / refill / 1_000);
    const shown = name.replaceAll(NOT_IN_HEADER, '_');
    this.header = `"${shown}";q=${capacity};w=${windowSeconds}`;
    this.headerStart = `"${shown}";r=`;
  }

  /** A fair part of this policy for one of so many processes that cannot ask each other. */
  shareOf(processes: number): RatePolicy {
    if (processes <= 1) return this;
    // A longer period gives less per time; the units of a request change with it.
    return new SharedOut(this, processes);
  }

  /** Seconds until a bucket with so many requests left is full again. */
  secondsToFull(remaining: number): number {
    return Math.ceil(((this.capacity - remaining) * this.cellUs) / 1_000_000);
  }

  /** Whether the same requests are let through. */
  equals(other: RatePolicy): boolean {
    return (
      this.name === other.name &&
      this.by === other.by &&
      this.capacity === other.capacity &&
      this.refill === other.refill &&
      this.periodMs === other.periodMs
    );
  }
}

/** The period of a part may be longer than that of a whole; its units are as many. */
class SharedOut extends RatePolicy {
  override readonly cellUnits: number;
  override readonly capacityUnits: number;
  override readonly cellUs: number;

  constructor(whole: RatePolicy, processes: number) {
    const { name, by, capacity, refill, periodMs } = whole;
    super({ name, by, capacity: Math.max(1, Math.floor(capacity / processes)), refill, periodMs });
    this.cellUnits = periodMs * 1_000 * processes;
    this.capacityUnits = this.capacity * this.cellUnits;
    this.cellUs = this.cellUnits / refill;
  }
}
