/** Neighbours in the order of use. */
interface Place<Entry> {
  readonly key: string;
  readonly entry: Entry;
  newer: Place<Entry>;
  older: Place<Entry>;
}

/**
 * Entries by key, at most so many: who was not seen for the longest time goes first. Exact, and for
 * the price of a few pointers a look-up.
 */
export class KeyTable<Entry> {
  private readonly places = new Map<string, Place<Entry>>();
  /** Its `newer` is the oldest place, its `older` the newest. */
  private readonly ends: Place<Entry>;

  constructor(
    private readonly make: (key: string) => Entry,
    private readonly maxKeys: number,
  ) {
    const ends = {} as Place<Entry>;
    ends.newer = ends;
    ends.older = ends;
    this.ends = ends;
  }

  get size(): number {
    return this.places.size;
  }

  /** The entry of a key, which is the newest from now on; a new one where there is none. */
  touch(key: string): Entry {
    const place = this.places.get(key);
    if (place === undefined) return this.add(key);
    if (place !== this.ends.older) {
      unlink(place);
      this.link(place);
    }
    return place.entry;
  }

  *entries(): Iterable<Entry> {
    for (const { entry } of this.places.values()) yield entry;
  }

  clear(): void {
    this.shrinkTo(0);
  }

  private add(key: string): Entry {
    this.shrinkTo(this.maxKeys - 1);
    const { ends } = this;
    const place: Place<Entry> = { key, entry: this.make(key), newer: ends, older: ends };
    this.places.set(key, place);
    this.link(place);
    return place.entry;
  }

  private shrinkTo(size: number): void {
    while (this.places.size > Math.max(0, size)) {
      const oldest = this.ends.newer;
      unlink(oldest);
      this.places.delete(oldest.key);
    }
  }

  private link(place: Place<Entry>): void {
    const { ends } = this;
    place.older = ends.older;
    place.newer = ends;
    ends.older.newer = place;
    ends.older = place;
  }
}

function unlink<Entry>(place: Place<Entry>): void {
  place.older.newer = place.newer;
  place.newer.older = place.older;
}
