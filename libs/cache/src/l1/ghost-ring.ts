import { HashIndex } from './hash-index.js';

/**
 * Remembers the 32-bit hashes of the keys that left a cache last, in a ring: the newest takes the
 * place of the oldest. 12 to 20 bytes a key, whatever the key's length. How far back the memory
 * reaches is asked with each question, so that it can follow the number of entries in the cache.
 */
export class GhostRing {
  private hashes = new Uint32Array(1);
  private index = new HashIndex(1);
  private used = 0;
  private next = 0;
  /** Number of keys that are remembered. */
  size = 0;

  /** It takes no memory before the first key leaves. */
  constructor(private capacity: number) {}

  /** Makes the ring longer; what it remembers stays. */
  reserve(capacity: number): void {
    if (capacity <= this.capacity) return;
    this.capacity = capacity;
    if (this.used > 0) this.lengthen();
  }

  private lengthen(): void {
    const { capacity } = this;
    const { hashes: old, used, next } = this;
    const remembered: number[] = [];
    for (let age = used; age >= 1; age -= 1) {
      const place = (next - age + old.length) % old.length;
      const hash = old[place] as number;
      if (this.index.find(hash, old) === place) remembered.push(hash);
    }
    this.hashes = new Uint32Array(capacity);
    this.index = new HashIndex(capacity);
    this.used = 0;
    this.next = 0;
    this.size = 0;
    for (const hash of remembered) this.add(hash);
  }

  /** The hash must not be remembered already: `take` forgets it when its key comes back. */
  add(hash: number): void {
    if (this.hashes.length < this.capacity) this.lengthen();
    const { hashes, index, next } = this;
    if (this.used < hashes.length) this.used += 1;
    // The oldest may have been taken since.
    else if (index.delete(next, hashes)) this.size -= 1;
    hashes[next] = hash;
    index.add(next, hashes);
    this.size += 1;
    this.next = next + 1 === hashes.length ? 0 : next + 1;
  }

  /** Whether the hash is among the last `reach` that were added; it is forgotten with that. */
  take(hash: number, reach: number): boolean {
    const { hashes } = this;
    const place = this.index.find(hash, hashes);
    if (place < 0) return false;
    this.index.delete(place, hashes);
    this.size -= 1;
    const age = (this.next - place + hashes.length - 1) % hashes.length;
    return age < reach;
  }

  clear(): void {
    this.index.clear();
    this.used = 0;
    this.next = 0;
    this.size = 0;
  }
}
