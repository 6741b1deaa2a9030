import type { Clock } from '#libs/core';
import type { Grant, Take } from '../gcra/held-bucket.js';
import {
  rateLimitStoreAnswered,
  rateLimitStoreChanged,
  type RateLimitStoreState,
} from '../rate-limit.events.js';
import type { RateLimitStore } from '../store/rate-limit-store.js';

export interface StoreGateOptions {
  readonly store: RateLimitStore;
  readonly clock: Clock;
  /** A store that has not answered for so long is away. */
  readonly timeoutMs: () => number;
  /** Time between two looks at whether it is back. */
  readonly pauseMs: () => number;
}

interface Waiting {
  readonly take: Take;
  resolve(grant: Grant | undefined): void;
}

const MAX_BATCH = 256;
/** For the first connection, when nobody waits for an answer yet. */
const OPEN_TIMEOUT_MS = 5_000;
/** A store that goes away again within this time is looked for half as often, */
const STEADY_MS = 10_000;
/** down to one time in so many. */
const MOST_PAUSES = 16;

/**
 * The way to the store. Two states:
 *
 * - shared: takes of one turn of the event loop go out together. The first failure or silence beyond
 *   the time-out leads to local, and whoever waits is told so at once.
 * - local: nobody waits for the store. While there are requests, it is looked for in the background,
 *   and leads to shared when it answers.
 *
 * Silence in either state ends the connection, too.
 */
export class StoreGate {
  /** Whether it was told that the store is away. */
  private isAwayTold = false;
  private away: RateLimitStoreState['state'] = 'local';
  private lookedAtMs = -Infinity;
  private sharedAtMs = -Infinity;
  private pauses = 1;
  private looking: Promise<void> | undefined;
  private batch: Waiting[] = [];
  private readonly waiting = new Set<Waiting>();
  private isClosed = false;

  constructor(private readonly options: StoreGateOptions) {}

  get state(): RateLimitStoreState['state'] {
    return this.away;
  }

  get storeName(): RateLimitStore['name'] {
    return this.options.store.name;
  }

  /** Whether the store is away; then a look is taken at it from time to time. */
  isAway(): boolean {
    if (this.away === 'shared') return false;
    this.look();
    return true;
  }

  /** Asks the store for the first time; ends when it is known whether it answers. */
  async open(): Promise<void> {
    this.look(OPEN_TIMEOUT_MS);
    await this.looking;
  }

  /** What the store grants; undefined when it is away. It never fails, and waits for a bounded time. */
  take(take: Take): Promise<Grant | undefined> {
    if (this.away === 'local') return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const one = { take, resolve };
      this.waiting.add(one);
      this.batch.push(one);
      if (this.batch.length === 1) queueMicrotask(() => this.flush());
      else if (this.batch.length >= MAX_BATCH) this.flush();
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.leave();
    await this.options.store.close();
    await this.looking;
  }

  private flush(): void {
    const batch = this.batch.splice(0);
    if (batch.length > 0) void this.send(batch);
  }

  private async send(batch: readonly Waiting[]): Promise<void> {
    const startedMs = this.options.clock.monotonicMs();
    try {
      const grants = await this.inTime(
        this.options.store.take(batch.map(({ take }) => take)),
        this.options.timeoutMs(),
      );
      rateLimitStoreAnswered.publish(() => this.options.clock.monotonicMs() - startedMs);
      for (const [at, one] of batch.entries()) this.answer(one, grants[at]);
    } catch (error) {
      this.goLocal(error);
    }
  }

  private answer(one: Waiting, grant: Grant | undefined): void {
    if (this.waiting.delete(one)) one.resolve(grant);
  }

  private goLocal(error: unknown): void {
    if (this.away === 'local') return;
    this.away = 'local';
    const nowMs = this.options.clock.monotonicMs();
    const wasSteady = nowMs - this.sharedAtMs >= STEADY_MS;
    this.pauses = wasSteady ? 1 : Math.min(MOST_PAUSES, this.pauses * 2);
    this.lookedAtMs = nowMs;
    this.leave();
    this.tellAway(error);
  }

  /** Lets everybody go who waits for the store. */
  private leave(): void {
    this.away = 'local';
    for (const one of this.waiting) this.answer(one, undefined);
    this.batch = [];
  }

  private tellAway(error: unknown): void {
    if (this.isAwayTold || this.isClosed) return;
    this.isAwayTold = true;
    rateLimitStoreChanged.publish(() => ({ store: this.storeName, state: 'local', error }));
  }

  private look(timeoutMs = this.options.timeoutMs()): void {
    if (this.looking !== undefined || this.isClosed) return;
    const nowMs = this.options.clock.monotonicMs();
    if (nowMs - this.lookedAtMs < this.options.pauseMs() * this.pauses) return;
    this.lookedAtMs = nowMs;
    this.looking = this.probe(timeoutMs).finally(() => {
      this.looking = undefined;
    });
  }

  private async probe(timeoutMs: number): Promise<void> {
    try {
      await this.inTime(this.options.store.probe(), timeoutMs);
    } catch (error) {
      this.tellAway(error);
      return;
    }
    if (this.isClosed) return;
    this.away = 'shared';
    this.sharedAtMs = this.options.clock.monotonicMs();
    this.isAwayTold = false;
    rateLimitStoreChanged.publish(() => ({ store: this.storeName, state: 'shared' }));
  }

  private inTime<Value>(work: Promise<Value>, timeoutMs: number): Promise<Value> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const timer = setTimeout(() => {
        // An answer that is there already, and waits behind this timer because the process was busy,
        // is read before this is run.
        setImmediate(() => {
          if (isOver) return;
          // Its connection may be lost without a word, which would be noticed in minutes.
          this.options.store.reset();
          reject(new TypeError(`The ${this.storeName} store of rate limits does not answer.`));
        });
      }, timeoutMs);
      timer.unref();
      work.then(resolve, reject).finally(() => {
        isOver = true;
        clearTimeout(timer);
      });
    });
  }
}
