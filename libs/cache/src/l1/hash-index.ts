import { ceil, clz32, imul, max } from './integer-math.js';

const EMPTY = -1;
/** At 0.8 a ghost costs twice as much time, 90 ns instead of 45, and saves 5 bytes. */
const MAX_LOAD = 0.5;
/** Fibonacci hashing: spreads also hashes that differ in few bits. */
const SPREAD = 0x9e3779b1;

/**
 * Finds places of an array of 32-bit hashes by hash: open addressing with linear probing and
 * deletion by shifting back, 8 to 16 bytes a place. The hashes themselves stay in the owner's
 * array. Places may share a hash; one of them
 * is found then.
 */
export class HashIndex {
  private readonly cells: Int32Array;
  private readonly shift: number;

  constructor(places: number) {
    const bits = max(3, 32 - clz32(ceil(places / MAX_LOAD) - 1));
    this.cells = new Int32Array(2 ** bits).fill(EMPTY);
    this.shift = 32 - bits;
  }

  /** The place that holds the hash, -1 when none does. */
  find(hash: number, hashes: Uint32Array): number {
    const { cells } = this;
    const mask = cells.length - 1;
    let cell = this.home(hash);
    for (;;) {
      const place = cells[cell] as number;
      if (place === EMPTY || hashes[place] === hash) return place;
      cell = (cell + 1) & mask;
    }
  }

  /** Adds a place whose hash stands in `hashes` and is not in the index. */
  add(place: number, hashes: Uint32Array): void {
    const { cells } = this;
    const mask = cells.length - 1;
    let cell = this.home(hashes[place] as number);
    while (cells[cell] !== EMPTY) cell = (cell + 1) & mask;
    cells[cell] = place;
  }

  /** Removes a place; false when it was not in the index. */
  delete(place: number, hashes: Uint32Array): boolean {
    const { cells } = this;
    const mask = cells.length - 1;
    let gap = this.home(hashes[place] as number);
    while (cells[gap] !== place) {
      if (cells[gap] === EMPTY) return false;
      gap = (gap + 1) & mask;
    }
    let cell = gap;
    for (;;) {
      cell = (cell + 1) & mask;
      const moved = cells[cell] as number;
      if (moved === EMPTY) break;
      const home = this.home(hashes[moved] as number);
      // It may fill the gap if its home is not after the gap, seen from where it stands.
      if (((cell - home) & mask) >= ((cell - gap) & mask)) {
        cells[gap] = moved;
        gap = cell;
      }
    }
    cells[gap] = EMPTY;
    return true;
  }

  clear(): void {
    this.cells.fill(EMPTY);
  }

  private home(hash: number): number {
    return imul(hash, SPREAD) >>> this.shift;
  }
}
