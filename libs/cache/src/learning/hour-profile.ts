const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Of what was counted, the part that still counts a day later: half after a week. */
const DAILY_DECAY = 2 ** (-1 / 7);

/** How the reads of a namespace spread over the hours of the day (UTC), recent days above all. */
export class HourProfile {
  private readonly reads = new Float64Array(24);
  private day = 0;
  private days = 0;
  private hourStartMs = Number.NEGATIVE_INFINITY;
  private hour = 0;

  /** Counts reads at a time; times come in order. */
  add(atMs: number, count = 1): void {
    if (!(atMs >= this.hourStartMs && atMs < this.hourStartMs + HOUR_MS)) this.moveTo(atMs);
    this.reads[this.hour] = (this.reads[this.hour] as number) + count;
  }

  /** Each hour's share of the reads; 24 times 0 without any. */
  shares(): number[] {
    const all = this.reads.reduce((sum, reads) => sum + reads, 0);
    return [...this.reads].map((reads) => (all === 0 ? 0 : reads / all));
  }

  /**
   * The hours in which a peak begins: those with at least `factor` times the mean of an hour, whose
   * hour before has not. None before `minDays` days were seen.
   */
  peakHours(factor = 1.5, minDays = 2): number[] {
    if (this.days < minDays) return [];
    const shares = this.shares();
    const isPeak = (hour: number): boolean => (shares[(hour + 24) % 24] as number) >= factor / 24;
    return shares.map((_, hour) => hour).filter((hour) => isPeak(hour) && !isPeak(hour - 1));
  }

  private moveTo(atMs: number): void {
    const day = Math.floor(atMs / DAY_MS);
    this.hourStartMs = Math.floor(atMs / HOUR_MS) * HOUR_MS;
    this.hour = new Date(atMs).getUTCHours();
    if (day === this.day) return;
    if (this.days > 0 && day > this.day) {
      const factor = DAILY_DECAY ** (day - this.day);
      for (let hour = 0; hour < 24; hour += 1) {
        this.reads[hour] = (this.reads[hour] as number) * factor;
      }
    }
    this.day = Math.max(day, this.day);
    this.days += 1;
  }
}
