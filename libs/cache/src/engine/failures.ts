const MAX_FAILURES = 1_000;

interface Failure {
  readonly error: unknown;
  /** Until then callers get the same failure. */
  readonly untilMs: number;
  /** Until then a stale entry is served without another try. */
  readonly retryMs: number;
}

/** Keys whose loaders failed last, the newest thousand. */
export class Failures {
  private readonly failures = new Map<string, Failure>();

  add(key: string, failure: Failure): void {
    this.failures.delete(key);
    this.failures.set(key, failure);
    if (this.failures.size <= MAX_FAILURES) return;
    for (const oldest of this.failures.keys()) {
      this.failures.delete(oldest);
      break;
    }
  }

  get(key: string): Failure | undefined {
    return this.failures.size === 0 ? undefined : this.failures.get(key);
  }

  delete(key: string): void {
    if (this.failures.size > 0) this.failures.delete(key);
  }

  clear(): void {
    this.failures.clear();
  }
}
