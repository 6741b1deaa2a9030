import { floor } from './integer-math.js';

/** Small seeded generator (xorshift32, Marsaglia 2003) for choices that need speed, not secrecy. */
export class RandomSource {
  private state: number;

  constructor(seed = 0x9e3779b9) {
    this.state = seed >>> 0 === 0 ? 1 : seed >>> 0;
  }

  /** A whole number from 0 to `below` - 1; `below` is at most 2^32. */
  below(below: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return floor(this.state * 2 ** -32 * below);
  }
}
