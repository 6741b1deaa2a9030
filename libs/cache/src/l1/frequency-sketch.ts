import { clz32, imul, max, min } from './integer-math.js';

/** How long and how exactly a sketch remembers. */
export interface FrequencySketchOptions {
  /** Uses for each entry of the cache after which all counts are halved; W-TinyLFU takes 10. */
  readonly sampleFactor?: number;
  /** Words for each entry of the cache, a power of two. */
  readonly width?: number;
}

/**
 * Estimates how often a key was used lately, from its 32-bit hash: a count-min sketch of 4-bit
 * counters (Einziger, Friedman, Manes, "TinyLFU", ACM TOS 2017). Counts go up to 15; after a number
 * of uses all are halved, so that the past fades. Eight counters a word; 8 to 16 bytes an entry of
 * the cache.
 */
export class FrequencySketch {
  private words: Uint32Array;
  private mask: number;
  private sampleSize: number;
  private uses = 0;
  private readonly sampleFactor: number;
  private readonly width: number;

  constructor(entries: number, options: FrequencySketchOptions = {}) {
    this.sampleFactor = options.sampleFactor ?? 10;
    this.width = options.width ?? 1;
    const size = wordsFor(entries * this.width);
    this.words = new Uint32Array(size);
    this.mask = size - 1;
    this.sampleSize = max(10, entries) * this.sampleFactor;
  }

  /** Follows the number of entries of the cache; a larger table starts from nothing. */
  resize(entries: number): void {
    const size = wordsFor(entries * this.width);
    this.sampleSize = max(10, entries) * this.sampleFactor;
    if (size <= this.words.length) return;
    this.words = new Uint32Array(size);
    this.mask = size - 1;
    this.uses = 0;
  }

  add(hash: number): void {
    const { words, mask } = this;
    const h = mix(hash);
    let added = false;
    // Each row takes 2 of the word's 8 counters, so that the four rows never share one.
    for (let row = 0; row < 4; row += 1) {
      const word = (h + imul(row, (h >>> 15) | 1)) & mask;
      const offset = (row * 2 + ((h >>> (28 + row)) & 1)) * 4;
      const value = words[word] as number;
      if (((value >>> offset) & 0xf) < 15) {
        words[word] = value + (1 << offset);
        added = true;
      }
    }
    if (added) {
      this.uses += 1;
      if (this.uses >= this.sampleSize) this.age();
    }
  }

  /** 0 to 15; never below the truth since the last halving. */
  estimate(hash: number): number {
    const { words, mask } = this;
    const h = mix(hash);
    let least = 15;
    for (let row = 0; row < 4; row += 1) {
      const word = (h + imul(row, (h >>> 15) | 1)) & mask;
      const offset = (row * 2 + ((h >>> (28 + row)) & 1)) * 4;
      least = min(least, ((words[word] as number) >>> offset) & 0xf);
    }
    return least;
  }

  clear(): void {
    this.words.fill(0);
    this.uses = 0;
  }

  private age(): void {
    const { words } = this;
    for (let index = 0; index < words.length; index += 1) {
      words[index] = ((words[index] as number) >>> 1) & 0x77777777;
    }
    this.uses >>>= 1;
  }
}

function wordsFor(entries: number): number {
  return 2 ** max(3, 32 - clz32(max(1, entries * 2 - 1)));
}

function mix(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = imul(h, 0x7feb352d);
  h ^= h >>> 15;
  h = imul(h, 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}
