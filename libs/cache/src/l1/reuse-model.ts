import { ageBin, ageBinStart, BINS_PER_OCTAVE } from './age-bins.js';
import type { ReuseHistory, ReuseObserver } from './reuse-history.js';
import { max, min, round } from './integer-math.js';

/** What remains of earlier observations after each refit. */
const DECAY = 0.97;
/** Observations' worth of the average over all classes that each class starts from. */
const PRIOR_WEIGHT = 4;
/** Times of the first refit and, at least, between two. */
const FIRST_REFIT = 100;
const MIN_REFIT = 200;

/**
 * Learns how soon keys of a class are used again, and from that what keeping one is worth.
 *
 * For each class and age it estimates the hazard: of the keys that reached this age unused, the part
 * that is used at it. Keys that are still waiting, or were lost from sight, count as long as they
 * were seen (Kaplan and Meier 1958), so that a young history is not too hopeful. Classes with few
 * observations lean on the average.
 *
 * The worth of a key is its Gittins index: the best ratio, over all waiting times, of the chance
 * that it is used within that time to the time that it would occupy its place. It is the slope of
 * the upper hull of the points (expected time, chance), found for all ages in one pass.
 */
export class ReuseModel implements ReuseObserver {
  private readonly hits: Float64Array;
  private readonly losses: Float64Array;
  private readonly worths: Float32Array;
  private readonly scratch: Float64Array[];
  private nextRefit: number;
  /** Times that the worth of all classes was computed anew. */
  refits = 0;

  /** Ages are told apart by `bins` bins; the worths are to be computed anew each `refitPeriod`. */
  constructor(
    readonly classes: number,
    readonly bins: number,
    private readonly refitPeriod: number,
    now = 0,
  ) {
    this.nextRefit = (now + FIRST_REFIT) >>> 0;
    this.hits = new Float64Array(classes * bins);
    this.losses = new Float64Array(classes * bins);
    this.worths = new Float32Array(classes * bins);
    this.scratch = Array.from({ length: 4 }, () => new Float64Array(bins + 1));
    // Before anything is known the young are worth most: least recently used.
    for (let cell = 0; cell < this.worths.length; cell += 1) {
      this.worths[cell] = 1 / (1 + ageBinStart(cell % bins));
    }
  }

  reused(keyClass: number, age: number): void {
    this.count(this.hits, keyClass, age);
  }

  lost(keyClass: number, age: number): void {
    this.count(this.losses, keyClass, age);
  }

  isDue(now: number): boolean {
    // Times wrap round: the difference is small and not negative once the time has come.
    return (now - this.nextRefit) >>> 0 < 0x8000_0000;
  }

  worth(keyClass: number, age: number): number {
    return this.worths[keyClass * this.bins + this.binOf(age)] as number;
  }

  /** Computes all worths anew from what was seen, including what still waits in the history. */
  refit(history: ReuseHistory, now: number): void {
    const { classes, bins, hits, losses } = this;
    const censored = losses.slice();
    history.forEachPending(now, (keyClass, age) => {
      const cell = keyClass * bins + this.binOf(age);
      censored[cell] = (censored[cell] as number) + 1;
    });
    const average = this.averageHazards(censored);
    for (let keyClass = 0; keyClass < classes; keyClass += 1) {
      this.refitClass(keyClass, censored, average);
    }
    for (let cell = 0; cell < hits.length; cell += 1) {
      hits[cell] = (hits[cell] as number) * DECAY;
      losses[cell] = (losses[cell] as number) * DECAY;
    }
    this.nextRefit = (now + max(MIN_REFIT, this.refitPeriod)) >>> 0;
    this.refits += 1;
  }

  /**
   * Takes over what a model of a miniature of this cache has learnt. An age there stands for `scale`
   * times as much here; the scale is a power of two.
   */
  learnFrom(other: ReuseModel, scale: number): void {
    const { bins, classes } = this;
    const shift = BINS_PER_OCTAVE * Math.log2(scale);
    for (let keyClass = 0; keyClass < classes; keyClass += 1) {
      for (let bin = 0; bin < bins; bin += 1) {
        const from = keyClass * other.bins + min(other.bins - 1, max(0, bin - shift));
        const cell = keyClass * bins + bin;
        this.worths[cell] = (other.worths[from] as number) / scale;
        // The lowest bins there are spread over several here: they count once.
        const isFirst = bin >= shift || bin === 0;
        this.hits[cell] = isFirst ? (other.hits[from] as number) : 0;
        this.losses[cell] = isFirst ? (other.losses[from] as number) : 0;
      }
    }
  }

  /** Counts, and for each class that was seen the chance of another use and the ages it is likely at. */
  describe(): Readonly<Record<string, unknown>> {
    const { bins, hits, losses, worths } = this;
    const seen = [];
    for (let keyClass = 0; keyClass < this.classes; keyClass += 1) {
      const cells = { start: keyClass * bins, end: (keyClass + 1) * bins };
      const used = sum(hits.subarray(cells.start, cells.end));
      const lost = sum(losses.subarray(cells.start, cells.end));
      if (used + lost < 1) continue;
      const worth = worths.subarray(cells.start, cells.end);
      seen.push({
        class: keyClass,
        observations: round(used + lost),
        chanceOfReuse: used / (used + lost),
        worthAtFirst: worth[0],
        mostWorthAtAge: ageBinStart(worth.indexOf(max(...worth))),
      });
    }
    return { refits: this.refits, classes: seen };
  }

  private count(counts: Float64Array, keyClass: number, age: number): void {
    const cell = keyClass * this.bins + this.binOf(age);
    counts[cell] = (counts[cell] as number) + 1;
  }

  private binOf(age: number): number {
    return min(this.bins - 1, ageBin(age));
  }

  private averageHazards(censored: Float64Array): Float64Array {
    const { classes, bins, hits } = this;
    const hazards = new Float64Array(bins);
    let atRisk = 0;
    for (let bin = bins - 1; bin >= 0; bin -= 1) {
      let used = 0;
      for (let cell = bin; cell < classes * bins; cell += bins) {
        used += hits[cell] as number;
        atRisk += (hits[cell] as number) + (censored[cell] as number);
      }
      // The small constants stand for one observation in a hundred: no age is hopeless for ever.
      hazards[bin] = (used + 0.001) / (atRisk + 0.01);
    }
    return hazards;
  }

  private refitClass(keyClass: number, censored: Float64Array, average: Float64Array): void {
    const { bins, hits, worths } = this;
    const [hazards, chances, times, hull] = this.scratch as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const first = keyClass * bins;
    let atRisk = PRIOR_WEIGHT;
    for (let bin = bins - 1; bin >= 0; bin -= 1) {
      const used = hits[first + bin] as number;
      atRisk += used + (censored[first + bin] as number);
      hazards[bin] = min(1, (used + PRIOR_WEIGHT * (average[bin] as number)) / atRisk);
    }
    let surviving = 1;
    chances[0] = 0;
    times[0] = 0;
    for (let bin = 0; bin < bins; bin += 1) {
      const used = surviving * (hazards[bin] as number);
      const width = ageBinStart(bin + 1) - ageBinStart(bin);
      chances[bin + 1] = (chances[bin] as number) + used;
      times[bin + 1] = (times[bin] as number) + width * (surviving - used / 2);
      surviving -= used;
    }
    const slope = (from: number, to: number): number =>
      ((chances[to] as number) - (chances[from] as number)) /
      ((times[to] as number) - (times[from] as number) + 1e-12);
    // The hull of the points to the right, as a stack whose top is the nearest.
    let depth = 0;
    hull[depth++] = bins;
    for (let bin = bins - 1; bin >= 0; bin -= 1) {
      while (
        depth > 1 &&
        slope(bin, hull[depth - 1] as number) <= slope(bin, hull[depth - 2] as number)
      ) {
        depth -= 1;
      }
      worths[first + bin] = slope(bin, hull[depth - 1] as number);
      hull[depth++] = bin;
    }
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
