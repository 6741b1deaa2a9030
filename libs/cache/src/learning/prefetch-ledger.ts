/** Keys that were loaded ahead and not read yet; beyond these the oldest counts as wasted. */
const MAX_OPEN = 4_096;

/** `planned`: nothing has been done yet. */
type PrefetchState = 'planned' | 'loading' | 'ready';

interface OpenPrefetch {
  readonly deadlineMs: number;
  state: PrefetchState;
}

/** Keeps account of what was loaded ahead: read in time, or wasted. */
export class PrefetchLedger {
  used = 0;
  wasted = 0;
  private readonly open = new Map<string, OpenPrefetch>();

  /** `onOutcome` hears of each one: whether it was used. */
  constructor(
    private readonly usefulWithinMs: number,
    private readonly onOutcome: (isUsed: boolean) => void,
  ) {}

  get size(): number {
    return this.open.size;
  }

  has(key: string): boolean {
    return this.open.has(key);
  }

  plan(key: string, nowMs: number): void {
    this.open.set(key, { deadlineMs: nowMs + this.usefulWithinMs, state: 'planned' });
    if (this.open.size > MAX_OPEN) {
      for (const oldest of this.open.keys()) {
        this.close(oldest, false);
        return;
      }
    }
  }

  /** Loading begins, unless the key was read since it was planned. */
  begin(key: string): boolean {
    const prefetch = this.open.get(key);
    if (prefetch === undefined) return false;
    prefetch.state = 'loading';
    return true;
  }

  loaded(key: string): void {
    const prefetch = this.open.get(key);
    if (prefetch !== undefined) prefetch.state = 'ready';
  }

  /** Loading it has failed. */
  fail(key: string): void {
    if (this.open.has(key)) this.close(key, false);
  }

  /**
   * A caller reads the key. It was of use if the first level has it still, or the caller waits for
   * what is being loaded ahead.
   */
  read(key: string, isHit: boolean): void {
    if (this.open.size === 0) return;
    const prefetch = this.open.get(key);
    if (prefetch === undefined) return;
    // Too early: the caller loads it, and what was planned does not happen.
    if (prefetch.state === 'planned') this.open.delete(key);
    else this.close(key, isHit || prefetch.state === 'loading');
  }

  /** Counts as wasted what nobody has read in time. */
  expire(nowMs: number): void {
    for (const [key, { deadlineMs }] of this.open) {
      if (deadlineMs > nowMs) return;
      this.close(key, false);
    }
  }

  private close(key: string, isUsed: boolean): void {
    this.open.delete(key);
    if (isUsed) this.used += 1;
    else this.wasted += 1;
    this.onOutcome(isUsed);
  }
}
