/** A key and how often it was counted, at most `overcount` too high. */
export interface TopKey {
  readonly key: string;
  readonly count: number;
  readonly overcount: number;
}

/** Keys that are compared before one leaves. */
const LOOKED_AT = 8;

interface Counter {
  count: number;
  overcount: number;
}

/**
 * The most frequent keys of a stream in bounded memory (Space-Saving; Metwally, Agrawal, El Abbadi,
 * ICDT 2005): every key with more than 1/capacity of all counts is in it. When the table is full a
 * new key takes the place, and the count, of a key with a small count: of the smallest among a few
 * that are looked at in turn, so that a count never costs a walk over the table.
 */
export class TopKeys {
  private readonly counters = new Map<string, Counter>();
  private hand = this.counters.entries();

  constructor(private readonly capacity = 512) {}

  add(key: string, count = 1): void {
    const known = this.counters.get(key);
    if (known !== undefined) {
      known.count += count;
      return;
    }
    let inherited = 0;
    if (this.counters.size >= this.capacity) inherited = this.evict();
    this.counters.set(key, { count: inherited + count, overcount: inherited });
  }

  top(limit: number): TopKey[] {
    if (limit <= 0) return [];
    return [...this.counters]
      .map(([key, { count, overcount }]) => ({ key, count, overcount }))
      .sort((a, b) => b.count - b.overcount - (a.count - a.overcount) || b.count - a.count)
      .slice(0, limit);
  }

  clear(): void {
    this.counters.clear();
    this.hand = this.counters.entries();
  }

  private evict(): number {
    let victim = '';
    let least = Number.POSITIVE_INFINITY;
    for (let looked = 0; looked < LOOKED_AT; looked += 1) {
      const { value, done } = this.hand.next();
      if (done === true) {
        this.hand = this.counters.entries();
        looked -= 1;
        continue;
      }
      if (value[1].count < least) {
        least = value[1].count;
        [victim] = value;
      }
      // Nothing is smaller.
      if (least <= 1) break;
    }
    this.counters.delete(victim);
    return least;
  }
}
