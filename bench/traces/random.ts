/** Seeded generator for workloads (sfc32 of PractRand: 128 bits of state, period 2^32 at least). */
export class TraceRandom {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number) {
    this.a = seed | 0;
    this.b = 0x9e3779b9;
    this.c = ~seed;
    for (let round = 0; round < 16; round += 1) this.next();
  }

  /** From 0 to 1, 1 excluded. */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + t) | 0;
    return (t >>> 0) / 0x1_0000_0000;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Number of failures before the first success, `mean` on average. */
  geometric(mean: number): number {
    return Math.floor(Math.log(1 - this.next()) / Math.log(mean / (mean + 1)));
  }
}

/** Draws ranks from 0 with probability proportional to 1 / (rank + 1)^exponent. */
export class Zipf {
  private readonly cumulative: Float64Array;

  constructor(
    private readonly random: TraceRandom,
    ranks: number,
    exponent: number,
  ) {
    this.cumulative = new Float64Array(ranks);
    let sum = 0;
    for (let rank = 0; rank < ranks; rank += 1) {
      sum += (rank + 1) ** -exponent;
      this.cumulative[rank] = sum;
    }
  }

  draw(): number {
    const { cumulative } = this;
    const target = this.random.next() * (cumulative[cumulative.length - 1] as number);
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] as number) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
