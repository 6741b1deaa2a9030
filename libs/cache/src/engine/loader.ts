import { types } from 'node:util';
import { CacheLoadTimeoutError } from '../errors/cache-load-timeout.error.js';
import { cacheLoad, type CacheLoad } from '../statistics/cache.channels.js';
import { LazySignal } from '../tier/lazy-signal.js';
import type { Answer } from './answer.js';
import type { CacheCore } from './cache-core.js';
import type { ResolvedOptions } from './cache.options.js';
import type { Flight } from './flight.js';
import { LeaseTurns } from './lease-turns.js';
import { type LoadWriter, NOTHING_WRITTEN } from './load-writer.js';
import type { SharedReader } from './shared-reader.js';
import type { Capture } from './versions.js';

/** What a loader is told. */
export interface LoadContext {
  readonly key: string;
  /** Aborted at the hard time-out. What the loader returns nevertheless is still stored. */
  readonly signal: AbortSignal;
}

class OwnLoadContext extends LazySignal implements LoadContext {
  constructor(readonly key: string) {
    super();
  }
}

/** Computes the value of a key. `undefined` says that there is none. */
export type Load<Value> = (context: LoadContext) => Value | Promise<Value>;

interface LoadRun<Value> {
  readonly flight: Flight;
  readonly load: Load<Value>;
  readonly context: OwnLoadContext;
  readonly startedMs: number;
  readonly options: ResolvedOptions;
  readonly capture: Capture;
  readonly release: (() => Promise<void>) | undefined;
}

/** Loads values for flights, within the limits of time, and has them stored. */
export class Loader {
  private readonly turns: LeaseTurns;

  constructor(
    private readonly core: CacheCore,
    private readonly shared: SharedReader,
    private readonly writer: LoadWriter,
  ) {
    this.turns = new LeaseTurns(core);
  }

  /** The answer of a flight, from the shared levels if they have it, else loaded. */
  async fetch<Value>(
    flight: Flight,
    load: Load<Value>,
    options: ResolvedOptions,
    newerThanMs?: number,
  ): Promise<Answer> {
    const find = (): Promise<Answer | undefined> =>
      this.shared.findOne(flight, options, newerThanMs);
    // Asked at the same time as the level, unless they are known here.
    const captured = this.writer.capture(options);
    if (this.core.usesTiers) {
      const answer = await find();
      if (answer !== undefined) return answer;
    } else this.shared.foundNothing(flight);
    let capture = types.isPromise(captured) ? await captured : captured;
    let release: (() => Promise<void>) | undefined;
    if (options.lease && this.core.hub.leases !== undefined) {
      const outcome = await this.turns.wait(flight, find, options.hardTimeoutMs);
      if (outcome.answer !== undefined) return outcome.answer;
      ({ release } = outcome);
      capture = await this.writer.capture(options);
    }
    return this.load(flight, load, options, capture, release);
  }

  private load<Value>(
    flight: Flight,
    load: Load<Value>,
    options: ResolvedOptions,
    capture: Capture,
    release: (() => Promise<void>) | undefined,
  ): Promise<Answer> {
    flight.vector = capture;
    const context = new OwnLoadContext(flight.key);
    const startedMs = this.core.hub.clock.monotonicMs();
    this.core.counts.loads += 1;
    const work = this.run({ flight, load, context, startedMs, options, capture, release });
    if (options.hardTimeoutMs === undefined) return work;
    return this.withinHardTimeout(flight, work, options.hardTimeoutMs, () => {
      context.abort();
      // Others need not wait for a loader that its own callers have given up.
      if (release !== undefined) this.core.inBackground('release', release);
      this.report(flight, startedMs, 'timed-out');
    });
  }

  private async run<Value>(run: LoadRun<Value>): Promise<Answer> {
    const { core } = this;
    const { flight, load, context, startedMs, options, capture, release } = run;
    let written = NOTHING_WRITTEN;
    try {
      const value = await load(context);
      const loadMs = core.hub.clock.monotonicMs() - startedMs;
      core.counts.loadMs += loadMs;
      const storing = this.writer.store(flight, value, loadMs, options, capture);
      const stored = types.isPromise(storing) ? await storing : storing;
      ({ written } = stored);
      if (stored.outcome === 'discarded') core.counts.discarded += 1;
      this.report(flight, startedMs, stored.outcome);
      return stored.answer;
    } catch (error) {
      core.counts.loadFailures += 1;
      this.report(flight, startedMs, 'failed');
      throw error;
    } finally {
      // The next one must find the entry, so the lease ends after the entry is written.
      if (release !== undefined) core.inBackground('release', () => written.then(release));
    }
  }

  private report(
    { key, isBackground }: Flight,
    startedMs: number,
    outcome: CacheLoad['outcome'],
  ): void {
    if (!cacheLoad.hasSubscribers) return;
    const { namespace, hub } = this.core;
    const durationMs = hub.clock.monotonicMs() - startedMs;
    cacheLoad.publish(() => ({ namespace, key, durationMs, outcome, isBackground }));
  }

  private async withinHardTimeout(
    flight: Flight,
    work: Promise<Answer>,
    timeoutMs: number,
    onTimeout: () => void,
  ): Promise<Answer> {
    const { core } = this;
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // Later callers start anew; the guard is held until this loader has ended.
        core.guards.hold(flight.key);
        core.inBackground('late load', () => work.finally(() => core.guards.release(flight.guard)));
        reject(new CacheLoadTimeoutError(flight.key, timeoutMs));
        onTimeout();
      }, timeoutMs);
    });
    try {
      return await Promise.race([work, timedOut]);
    } finally {
      clearTimeout(timer);
    }
  }
}
