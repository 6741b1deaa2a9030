/** Enough to tell a typical time from a rare one, and few enough to sort at each question. */
const SIZE = 16;

/** The last few durations of something, for its median. */
export class LatencySample {
  private readonly values: number[] = [];
  private next = 0;

  get isFull(): boolean {
    return this.values.length === SIZE;
  }

  add(ms: number): void {
    this.values[this.next] = ms;
    this.next = (this.next + 1) % SIZE;
  }

  /** NaN while there is none. */
  median(): number {
    const sorted = [...this.values].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? Number.NaN;
  }

  clear(): void {
    this.values.length = 0;
    this.next = 0;
  }
}
