/** A key and how often it was counted, at most `overcount` too high. */
export interface TopKey {
  readonly key: string;
  readonly count: number;
  readonly overcount: number;
}

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
  private hand: Iterator<[string, Counter]> | undefined;

  constructor(private readonly capacity = 512) {}

  add(key: string): void {
    const known = this.counters.get(key);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    let inherited = 0;
    if (this.counters.size >= this.capacity) inherited = this.evict();
    this.counters.set(key, { count: inherited + 1, overcount: inherited });
  }

  top(limit: number): TopKey[] {
    return [...this.counters]
      .map(([key, { count, overcount }]) => ({ key, count, overcount }))
      .sort((a, b) => b.count - b.overcount - (a.count - a.overcount) || b.count - a.count)
      .slice(0, limit);
  }

  clear(): void {
    this.counters.clear();
    this.hand = undefined;
  }

  private evict(): number {
    let victim: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let looked = 0; looked < 8; looked += 1) {
      const [key, { count }] = this.next();
      if (count >= least) continue;
      least = count;
      victim = key;
    }
    this.counters.delete(victim as string);
    return least;
  }

  private next(): [string, Counter] {
    this.hand ??= this.counters.entries();
    let step = this.hand.next();
    if (step.done === true) {
      this.hand = this.counters.entries();
      step = this.hand.next();
    }
    return step.value as [string, Counter];
  }
}
