import { max, min } from './integer-math.js';

const STEP = 0.0625;
const STEP_DECAY = 0.98;
/** A change of the hit ratio that means another workload: the step is as large as at first again. */
const RESTART_CHANGE = 0.05;
const MIN_SHARE = 0.01;
const MAX_SHARE = 0.8;
/** Accesses in a sample for each entry of the cache. */
const SAMPLE_FACTOR = 10;

/**
 * Finds the share of a cache that its window should have: goes on in the direction in which the hit
 * ratio grew, turns back where it fell, in steps that become smaller (Einziger et al., Middleware
 * 2018, section "hill climber").
 */
export class HillClimber {
  share = MIN_SHARE;
  private step = STEP;
  private hits = 0;
  private misses = 0;
  private previousRatio = 0;

  hit(): void {
    this.hits += 1;
  }

  /** Counts a miss, and moves the share when the sample is complete. */
  miss(entries: number): void {
    this.misses += 1;
    const accesses = this.hits + this.misses;
    if (accesses >= SAMPLE_FACTOR * entries && accesses >= 100) this.climb();
  }

  private climb(): void {
    const ratio = this.hits / (this.hits + this.misses);
    const change = ratio - this.previousRatio;
    if (change < 0) this.step = -this.step;
    this.share = min(MAX_SHARE, max(MIN_SHARE, this.share + this.step));
    this.step =
      Math.abs(change) >= RESTART_CHANGE ? Math.sign(this.step) * STEP : this.step * STEP_DECAY;
    this.previousRatio = ratio;
    this.hits = 0;
    this.misses = 0;
  }
}
