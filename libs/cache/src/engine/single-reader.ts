import { runBeyondDeadline } from '#libs/logging';
import type { CacheSource } from '../statistics/cache.channels.js';
import { type Answer, answerOf } from './answer.js';
import type { CacheCore } from './cache-core.js';
import { type EntryOptions, mergeOptions, type ResolvedOptions } from './cache.options.js';
import { isRefreshDue } from './entry-times.js';
import type { Flight, StaleEntry } from './flight.js';
import type { L1Entry } from './l1-entry.js';
import type { Load, Loader } from './loader.js';
import { isCurrent } from './tag-table.js';

/** Answers for single keys: from memory, from a flight, or with something stale. */
export class SingleReader {
  constructor(
    private readonly core: CacheCore,
    private readonly loader: Loader,
  ) {}

  /** The answer for one caller, who found `held` in the first level. */
  async resolve(
    key: string,
    held: L1Entry | undefined,
    load: Load<unknown>,
    callOptions: EntryOptions<never> | undefined,
  ): Promise<Answer> {
    const { core } = this;
    const options = mergeOptions(core.options, callOptions);
    const nowMs = core.coarse.wake();
    let stale: StaleEntry | undefined;
    if (held !== undefined && held.tags !== null && !isCurrent(held.tags)) {
      core.l1.delete(key);
    } else if (held !== undefined && held.epoch !== core.hub.sync.epoch) {
      if (held.staleUntilMs > nowMs) stale = { entry: held, isSuspect: true };
    } else if (held !== undefined && held.expiresMs > nowMs) {
      if (held.dueMs <= nowMs && isRefreshDue(held, nowMs, held.loadMs, options)) {
        this.refresh(key, held, load, options);
      }
      this.core.countHit(key);
      return answerOf(held, 'L1');
    } else if (held !== undefined && held.staleUntilMs > nowMs) {
      stale = { entry: held, isSuspect: false };
    }
    this.core.countMiss(key);
    const failure = core.failures.get(key);
    if (stale !== undefined && !stale.isSuspect) {
      const isThrottled = failure !== undefined && failure.retryMs > nowMs;
      if (isThrottled) return this.serveStale(key, stale.entry);
      if (held !== undefined && nowMs < held.expiresMs + options.revalidateMs) {
        this.refresh(key, held, load, options);
        return this.serveStale(key, stale.entry);
      }
    } else if (failure !== undefined && failure.untilMs > nowMs) throw failure.error;
    return this.fly(key, stale, load, options);
  }

  /**
   * Makes sure that the first level has a fresh entry for the key, without a read being counted;
   * joins whoever is loading it. Where it came from: `L1` says that it was there.
   */
  async warm(
    key: string,
    load: Load<unknown>,
    callOptions: EntryOptions<never> | undefined,
  ): Promise<CacheSource> {
    const { core } = this;
    if (core.isFresh(key)) return 'L1';
    const options = mergeOptions(core.options, callOptions);
    const flight = core.guards.flightOf(key) ?? this.start(key, undefined, load, options, true);
    return (await flight.promise).source;
  }

  /**
   * An answer that was loaded after the call, for a caller who wants nothing older. What is there
   * stays for others until the new one has come, and stands in for a load that fails.
   */
  async reload(
    key: string,
    load: Load<unknown>,
    callOptions: EntryOptions<never> | undefined,
  ): Promise<Answer> {
    const { core } = this;
    const options = mergeOptions(core.options, callOptions);
    const askedMs = core.coarse.wake();
    core.countMiss(key);
    // Others who want the same wait for it too; the first of them starts the next one.
    await core.guards.flightOf(key)?.promise.catch(() => undefined);
    const held = core.l1.get(key);
    const isServable = held !== undefined && held.staleUntilMs > askedMs && core.isSound(held);
    const stale = isServable ? { entry: held, isSuspect: false } : undefined;
    return this.fly(key, stale, load, options, askedMs);
  }

  /** Joins the flight of the key or starts it, until it has an answer that is good for this caller. */
  private async fly(
    key: string,
    stale: StaleEntry | undefined,
    load: Load<unknown>,
    options: ResolvedOptions,
    newerThanMs?: number,
  ): Promise<Answer> {
    for (;;) {
      const joinedAt = this.core.hub.versions.table.changes;
      const flight =
        this.core.guards.flightOf(key) ?? this.start(key, stale, load, options, false, newerThanMs);
      const answer = await this.await(flight, options);
      if (flight.servesJoiner(joinedAt)) {
        this.core.count(key, answer.source);
        return answer;
      }
    }
  }

  private start(
    key: string,
    stale: StaleEntry | undefined,
    load: Load<unknown>,
    options: ResolvedOptions,
    isBackground: boolean,
    newerThanMs = isBackground && stale ? stale.entry.createdMs : undefined,
  ): Flight {
    const { core } = this;
    const flight = core.begin(key, stale, isBackground);
    // Others may join it, who have more time than the caller that starts it.
    runBeyondDeadline(() =>
      core.hub.tasks.run(() => this.pilot(flight, load, options, newerThanMs)),
    );
    return flight;
  }

  /** Brings a flight to its end. */
  private async pilot(
    flight: Flight,
    load: Load<unknown>,
    options: ResolvedOptions,
    newerThanMs: number | undefined,
  ): Promise<void> {
    const { core } = this;
    try {
      const answer = await this.loader.fetch(flight, load, options, newerThanMs);
      core.failures.delete(flight.key);
      flight.resolve(answer);
    } catch (error) {
      this.onFailure(flight, error, options);
    } finally {
      core.end(flight);
    }
  }

  private onFailure(flight: Flight, error: unknown, options: ResolvedOptions): void {
    const { core } = this;
    const nowMs = core.hub.clock.nowMs();
    const { errorTtlMs, errorThrottleMs } = options;
    if (!flight.isKeyMoved) {
      core.failures.add(flight.key, {
        error,
        untilMs: nowMs + errorTtlMs,
        retryMs: nowMs + errorThrottleMs,
      });
    }
    const { stale } = flight;
    if (stale !== undefined && this.isServable(flight, stale.entry)) {
      flight.resolve(answerOf(stale.entry, 'STALE'));
    } else flight.reject(error);
  }

  /** The answer of the flight, or after the soft time-out what is stale. */
  private await(flight: Flight, { softTimeoutMs }: ResolvedOptions): Promise<Answer> {
    return softTimeoutMs === undefined ? flight.promise : this.awaitSoftly(flight, softTimeoutMs);
  }

  private async awaitSoftly(flight: Flight, softTimeoutMs: number): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const soft = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, softTimeoutMs);
    });
    const staleAnswer = async (): Promise<Answer> => {
      await soft;
      await flight.whenStaleOffered();
      const { stale } = flight;
      if (stale === undefined || !this.isServable(flight, stale.entry)) return flight.promise;
      return answerOf(stale.entry, 'STALE');
    };
    try {
      return await Promise.race([flight.promise, staleAnswer()]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Refreshes behind the back of the callers, unless the key is on its way already. */
  private refresh(key: string, held: L1Entry, load: Load<unknown>, options: ResolvedOptions): void {
    if (this.core.guards.flightOf(key) !== undefined) return;
    const failure = this.core.failures.get(key);
    if (failure !== undefined && failure.retryMs > this.core.hub.clock.nowMs()) return;
    this.start(key, { entry: held, isSuspect: false }, load, options, true);
  }

  private isServable(flight: Flight, entry: L1Entry): boolean {
    const nowMs = this.core.hub.clock.nowMs();
    const isValid = entry.tags === null || isCurrent(entry.tags);
    return isValid && entry.staleUntilMs > nowMs && !flight.isKeyMoved;
  }

  private serveStale(key: string, entry: L1Entry): Answer {
    this.core.count(key, 'STALE');
    return answerOf(entry, 'STALE');
  }
}
