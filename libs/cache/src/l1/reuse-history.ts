import { HashIndex } from './hash-index.js';

const DEAD = 255;

/** What became of an access: used again, or out of sight, after how many accesses. */
export interface ReuseObserver {
  reused(keyClass: number, age: number): void;
  lost(keyClass: number, age: number): void;
}

/**
 * Follows a sample of the keys, chosen by hash, from one access to the next: a ring of the last
 * accesses of the sample, 17 to 25 bytes each. It reaches further back than the cache holds entries,
 * and sees what happens to keys that are no longer in it.
 */
export class ReuseHistory {
  private readonly hashes: Uint32Array;
  private readonly times: Uint32Array;
  private readonly classes: Uint8Array;
  private readonly index: HashIndex;
  private next = 0;
  /** Keys whose hash is below this belong to the sample. */
  private readonly limit: number;

  /** `reach` is the number of accesses to look back, `capacity` how many of them may be kept. */
  constructor(
    reach: number,
    capacity: number,
    private readonly observer: ReuseObserver,
  ) {
    const size = Math.min(reach, capacity);
    this.rate = size / reach;
    this.limit = this.rate * 0x1_0000_0000;
    this.hashes = new Uint32Array(size);
    this.times = new Uint32Array(size);
    this.classes = new Uint8Array(size).fill(DEAD);
    this.index = new HashIndex(size);
  }

  /** Part of the keys that are followed, 0 to 1. */
  readonly rate: number;

  follows(hash: number): boolean {
    return hash < this.limit;
  }

  /** Reports the key's previous access as reused and follows this one. */
  record(hash: number, keyClass: number, now: number): void {
    const { hashes, times, classes, index, observer, next } = this;
    const known = index.find(hash, hashes);
    if (known >= 0) {
      observer.reused(classes[known] as number, (now - (times[known] as number)) >>> 0);
      index.delete(known, hashes);
      classes[known] = DEAD;
    }
    if (classes[next] !== DEAD) {
      observer.lost(classes[next] as number, (now - (times[next] as number)) >>> 0);
      index.delete(next, hashes);
    }
    hashes[next] = hash;
    times[next] = now;
    classes[next] = keyClass;
    index.add(next, hashes);
    this.next = next + 1 === hashes.length ? 0 : next + 1;
  }

  /** Calls `visit` for each access that is still waiting for the next one of its key. */
  forEachPending(now: number, visit: (keyClass: number, age: number) => void): void {
    const { times, classes } = this;
    for (let place = 0; place < times.length; place += 1) {
      const keyClass = classes[place] as number;
      if (keyClass !== DEAD) visit(keyClass, (now - (times[place] as number)) >>> 0);
    }
  }

  clear(): void {
    this.classes.fill(DEAD);
    this.index.clear();
    this.next = 0;
  }
}
