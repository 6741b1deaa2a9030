import { setTimeout as sleep } from 'node:timers/promises';
import { types } from 'node:util';
import { newId } from '#libs/core';
import type { CacheEntry } from '../entry/cache-entry.js';
import { CacheLoadTimeoutError } from '../errors/cache-load-timeout.error.js';
import { cacheLoad, type CacheLoad } from '../statistics/cache.channels.js';
import { LazySignal } from '../tier/lazy-signal.js';
import type { Answer } from './answer.js';
import { type CacheCore, OWN_TAGS_FROM } from './cache-core.js';
import type { ResolvedOptions } from './cache.options.js';
import { type EntryTimes, lifeOf, timesOf } from './entry-times.js';
import type { Flight } from './flight.js';
import { isCurrent, type TagRef } from './tag-table.js';
import type { SharedReader } from './shared-reader.js';
import type { Capture } from './versions.js';

const LEASE_POLL_MS = 20;

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

/** What became of a loaded value. */
interface Stored {
  readonly answer: Answer;
  readonly outcome: CacheLoad['outcome'];
  /** Resolves when the shared levels have it or have refused it. */
  readonly written: Promise<unknown>;
}

interface LoadRun<Value> {
  readonly flight: Flight;
  readonly load: Load<Value>;
  readonly context: OwnLoadContext;
  readonly startedMs: number;
  readonly options: ResolvedOptions;
  readonly capture: Capture;
  readonly release: (() => Promise<void>) | undefined;
}

const NOTHING_WRITTEN: Promise<unknown> = Promise.resolve();

/** Loads values for flights, and stores them unless they were invalidated meanwhile. */
export class Loader {
  private readonly owner = newId();

  constructor(
    private readonly core: CacheCore,
    private readonly shared: SharedReader,
  ) {}

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
    const captured = this.capture(options);
    if (this.core.usesTiers) {
      const answer = await find();
      if (answer !== undefined) return answer;
    } else this.shared.foundNothing(flight);
    let capture = types.isPromise(captured) ? await captured : captured;
    let release: (() => Promise<void>) | undefined;
    if (options.lease && this.core.hub.leases !== undefined) {
      const outcome = await this.lease(flight, find, options.hardTimeoutMs);
      if (outcome.answer !== undefined) return outcome.answer;
      ({ release } = outcome);
      capture = await this.capture(options);
    }
    return this.load(flight, load, options, capture, release);
  }

  /** The versions that entries have whose loaders start now. */
  capture(options: ResolvedOptions): Capture | Promise<Capture> {
    const { tags } = options;
    const isLate = typeof tags === 'function';
    return this.core.hub.versions.capture(this.core.namesOf(isLate ? [] : tags), isLate);
  }

  /** Stores what was loaded for a flight; says what its callers get. Waits only for late tags. */
  store(
    flight: Flight,
    value: unknown,
    loadMs: number,
    options: ResolvedOptions,
    capture: Capture,
  ): Stored | Promise<Stored> {
    const nowMs = this.core.hub.clock.nowMs();
    const lifeMs = lifeOf(value, flight.key, options);
    if (!(lifeMs > 0)) {
      flight.vector = capture;
      return { answer: unstored(value, nowMs), outcome: 'absent', written: NOTHING_WRITTEN };
    }
    const times = timesOf(nowMs, lifeMs, options);
    if (typeof options.tags !== 'function') {
      return this.keep(flight, value, times, loadMs, options, capture);
    }
    return this.withLateTags(value, options, capture).then((complete) => {
      flight.isOutdated = complete.isMoved;
      return this.keep(flight, value, times, loadMs, options, complete);
    });
  }

  private keep(
    flight: Flight,
    value: unknown,
    times: EntryTimes,
    loadMs: number,
    options: ResolvedOptions,
    capture: Capture,
  ): Stored {
    const { core } = this;
    flight.vector = capture;
    if (flight.isKeyMoved || flight.isOutdated || !isCurrent(capture)) {
      const answer = unstored(value, times.createdMs);
      return { answer, outcome: 'discarded', written: NOTHING_WRITTEN };
    }
    const { refs, versions } = capture;
    const tags = core.hub.versions.tagsOf(capture, OWN_TAGS_FROM);
    core.keep(flight.key, value, times, { loadMs, tags, epoch: flight.syncEpoch, options });
    const { createdMs, expiresMs } = times;
    const answer: Answer = { value, source: 'MISS', createdMs, expiresMs };
    if (!capture.isShared || flight.reads.length === 0) {
      return { answer, outcome: 'stored', written: NOTHING_WRITTEN };
    }
    const entry: CacheEntry = { value, ...times, loadMs, tags: refs.map(nameOf), versions };
    return { answer, outcome: 'stored', written: this.fill(flight, entry, options) };
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
      const storing = this.store(flight, value, loadMs, options, capture);
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

  /** Adds the tags that only the value tells, and whether one was invalidated since the load began. */
  private async withLateTags(
    value: unknown,
    options: ResolvedOptions,
    capture: Capture,
  ): Promise<Capture & { isMoved: boolean }> {
    if (typeof options.tags !== 'function') return { ...capture, isMoved: false };
    const tags = (options.tags as (value: unknown) => readonly string[])(value);
    const names = this.core.namesOf(tags).slice(OWN_TAGS_FROM);
    const late = await this.core.hub.versions.capture(names, false);
    const { now } = capture;
    const isMoved = late.refs.some(
      ({ version, isPending }) => isPending || (now !== undefined && version > now),
    );
    return {
      refs: [...capture.refs, ...late.refs],
      versions: [...capture.versions, ...late.versions],
      isShared: capture.isShared && late.isShared && now !== undefined,
      now,
      isMoved,
    };
  }

  private fill(flight: Flight, entry: CacheEntry, options: ResolvedOptions): Promise<unknown> {
    const { core } = this;
    const key = core.fullKey(flight.key);
    const fills = core.hub.stack.levels.map((level) => {
      const read = flight.reads[level.index];
      if (read === undefined) return Promise.resolve(true);
      const copy = core.entryFor(level.level, entry, options);
      return core.hub.stack.fill(level, [{ key, entry: copy, read }]);
    });
    const written = Promise.all(fills);
    core.guards.hold(flight.key);
    flight.guard.writes ??= new Set();
    flight.guard.writes.add(written);
    core.inBackground('fill', () =>
      written.finally(() => {
        flight.guard.writes?.delete(written);
        core.guards.release(flight.guard);
      }),
    );
    return written;
  }

  /**
   * Waits until this process may load, or another one has stored what it loaded. Who has it for longer
   * than a loader may take does not keep others from loading too.
   */
  private async lease(
    flight: Flight,
    find: () => Promise<Answer | undefined>,
    timeoutMs = Number.POSITIVE_INFINITY,
  ): Promise<{ answer?: Answer; release?: () => Promise<void> }> {
    const { leases } = this.core.hub;
    if (leases === undefined) return {};
    const { store, gate, leaseMs } = leases;
    const name = this.core.fullKey(flight.key);
    const owner = `${this.owner}:${newId()}`;
    const untilMs = this.core.hub.clock.monotonicMs() + timeoutMs;
    const release = async (): Promise<void> => {
      await gate.call('release', () => store.release(name, owner));
    };
    for (let isFirst = true; ; isFirst = false) {
      const reply = await gate.call('acquire', () => store.acquire(name, owner, leaseMs));
      // Without leases every process loads for itself.
      if (!reply.ok) return {};
      // Between the first look and the lease another process may have stored it.
      const answer = await find();
      if (answer !== undefined) {
        if (reply.value) await release();
        return { answer };
      }
      if (reply.value) return { release };
      if (this.core.hub.clock.monotonicMs() >= untilMs) return {};
      await sleep(isFirst ? LEASE_POLL_MS / 2 : LEASE_POLL_MS * (0.5 + Math.random()));
    }
  }
}

function unstored(value: unknown, nowMs: number): Answer {
  return { value, source: 'MISS', createdMs: nowMs, expiresMs: nowMs };
}

function nameOf({ name }: TagRef): string {
  return name;
}
