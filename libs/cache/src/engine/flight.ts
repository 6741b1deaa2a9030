import type { Answer } from './answer.js';
import type { KeyGuard } from './key-guards.js';
import type { L1Entry } from './l1-entry.js';
import { isCurrent, type TagVector } from './tag-table.js';
import type { FencedRead } from './tier-stack.js';

/** Something that can be served if nothing better comes. */
export interface StaleEntry {
  readonly entry: L1Entry;
  /** An invalidation of it may have been missed: any shared level that answers knows better. */
  readonly isSuspect: boolean;
}

/** One look-up of a key that all callers of the process share while it is under way. */
export class Flight {
  /** What the shared levels have, if that is fresh. */
  found: Answer | undefined;
  stale: StaleEntry | undefined;
  /** The versions of the value, as soon as its tags are known. */
  vector: TagVector | undefined;
  /** Whether a tag that only the value told was invalidated after the flight began. */
  isOutdated = false;
  /** What each shared level answered, by its index. */
  readonly reads: (FencedRead | undefined)[] = [];
  private waiting: Promise<Answer> | undefined;
  private settle: ((answer: Answer) => void) | undefined;
  private fail: ((error: unknown) => void) | undefined;
  private hasOffered = false;
  private announceStale: (() => void) | undefined;
  readonly guardEpoch: number;

  constructor(
    readonly key: string,
    readonly guard: KeyGuard,
    /** `TagTable.changes` when it began. */
    readonly startedAt: number,
    /** `SyncState.epoch` when it began. */
    readonly syncEpoch: number,
    stale: StaleEntry | undefined,
    readonly isBackground: boolean,
  ) {
    this.guardEpoch = guard.epoch;
    if (stale !== undefined) this.offerStale(stale);
  }

  /** Whether the key was invalidated since the flight began. */
  get isKeyMoved(): boolean {
    return this.guard.epoch !== this.guardEpoch;
  }

  /** The answer for all who wait; made for the first of them. */
  get promise(): Promise<Answer> {
    this.waiting ??= new Promise((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
    });
    return this.waiting;
  }

  resolve(answer: Answer): void {
    if (this.settle === undefined) this.waiting = Promise.resolve(answer);
    else this.settle(answer);
  }

  reject(reason: unknown): void {
    // Who waits sees the failure; without anybody it must not end the process.
    this.promise.catch(ignore);
    this.fail?.(reason);
  }

  /** Resolves when there is something stale to serve, or was. For one caller that waits. */
  whenStaleOffered(): Promise<void> {
    if (this.hasOffered) return Promise.resolve();
    const before = this.announceStale;
    return new Promise((resolve) => {
      this.announceStale = () => {
        before?.();
        resolve();
      };
    });
  }

  offerStale(stale: StaleEntry): void {
    if (this.stale !== undefined && !this.stale.isSuspect) return;
    this.stale = stale;
    this.hasOffered = true;
    this.announceStale?.();
  }

  /**
   * Whether the answer is good for who joined when `changes` invalidations had been applied: a
   * caller that comes after an invalidation must not get what was loaded before it.
   */
  servesJoiner(changes: number): boolean {
    if (changes === this.startedAt) return true;
    return !this.isOutdated && (this.vector === undefined || isCurrent(this.vector));
  }
}

function ignore(): void {
  // Somebody else is told.
}
