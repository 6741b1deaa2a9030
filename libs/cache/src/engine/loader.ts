import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '#libs/core';
import type { CacheEntry } from '../entry/cache-entry.js';
import { CacheLoadTimeoutError } from '../errors/cache-load-timeout.error.js';
import { cacheLoad, type CacheLoad } from '../statistics/cache.channels.js';
import { LazySignal } from '../tier/lazy-signal.js';
import type { Answer } from './answer.js';
import { type CacheCore, OWN_TAGS_FROM } from './cache-core.js';
import type { ResolvedOptions } from './cache.options.js';
import { lifeOf, timesOf } from './entry-times.js';
import type { Flight } from './flight.js';
import { isCurrent } from './tag-table.js';
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
    const find = async (): Promise<Answer | undefined> =>
      (await this.shared.find([flight], options, newerThanMs)).get(flight);
    let [capture, answer] = await Promise.all([this.capture(options), find()]);
    if (answer !== undefined) return answer;
    let release: (() => Promise<void>) | undefined;
    if (options.lease && this.core.hub.leases !== undefined) {
      const outcome = await this.lease(flight, find);
      if (outcome.answer !== undefined) return outcome.answer;
      ({ release } = outcome);
      capture = await this.capture(options);
    }
    return this.load(flight, load, options, capture, release);
  }

  /** The versions that entries have whose loaders start now. */
  capture(options: ResolvedOptions): Promise<Capture> {
    const { tags } = options;
    const isLate = typeof tags === 'function';
    return this.core.hub.versions.capture(this.core.namesOf(isLate ? [] : tags), isLate);
  }

  /** Stores what was loaded for a flight; says what its callers get. */
  async store(
    flight: Flight,
    value: unknown,
    loadMs: number,
    options: ResolvedOptions,
    capture: Capture,
  ): Promise<{ answer: Answer; outcome: CacheLoad['outcome']; written: Promise<unknown> }> {
    const { core } = this;
    const nowMs = core.hub.clock.nowMs();
    const lifeMs = lifeOf(value, flight.key, options);
    const nothing = { value, source: 'MISS' as const, createdMs: nowMs, expiresMs: nowMs };
    if (!(lifeMs > 0)) {
      flight.vector = capture;
      return { answer: nothing, outcome: 'absent', written: Promise.resolve() };
    }
    const times = timesOf(nowMs, lifeMs, options);
    const complete = await this.withLateTags(value, options, capture);
    flight.vector = complete;
    flight.isOutdated = complete.isMoved;
    if (flight.isKeyMoved || complete.isMoved || !isCurrent(complete)) {
      return { answer: nothing, outcome: 'discarded', written: Promise.resolve() };
    }
    const names = complete.refs.map(({ name }) => name);
    const tags = core.hub.versions.tagsOf(complete, OWN_TAGS_FROM);
    const epoch = flight.syncEpoch;
    core.keep(flight.key, value, times, { loadMs, tags, epoch, options });
    const { versions } = complete;
    const entry: CacheEntry = { value, ...times, loadMs, tags: names, versions };
    const written =
      complete.isShared && flight.reads.size > 0
        ? this.fill(flight, entry, options)
        : Promise.resolve();
    const { createdMs, expiresMs } = times;
    return { answer: { value, source: 'MISS', createdMs, expiresMs }, outcome: 'stored', written };
  }

  private async load<Value>(
    flight: Flight,
    load: Load<Value>,
    options: ResolvedOptions,
    capture: Capture,
    release: (() => Promise<void>) | undefined,
  ): Promise<Answer> {
    const { core } = this;
    flight.vector = capture;
    const context = new OwnLoadContext(flight.key);
    const startedMs = core.hub.clock.monotonicMs();
    const report = (outcome: CacheLoad['outcome']): void => {
      const durationMs = core.hub.clock.monotonicMs() - startedMs;
      const { namespace } = core;
      const { key, isBackground } = flight;
      cacheLoad.publish(() => ({ namespace, key, durationMs, outcome, isBackground }));
    };
    core.counts.loads += 1;
    const work = (async (): Promise<Answer> => {
      let written: Promise<unknown> = Promise.resolve();
      try {
        const value = await load(context);
        const loadMs = core.hub.clock.monotonicMs() - startedMs;
        core.counts.loadMs += loadMs;
        const stored = await this.store(flight, value, loadMs, options, capture);
        ({ written } = stored);
        if (stored.outcome === 'discarded') core.counts.discarded += 1;
        report(stored.outcome);
        return stored.answer;
      } catch (error) {
        core.counts.loadFailures += 1;
        report('failed');
        throw error;
      } finally {
        // The next one must find the entry, so the lease ends after the entry is written.
        if (release !== undefined) core.inBackground('release', () => written.then(release));
      }
    })();
    if (options.hardTimeoutMs === undefined) return work;
    return this.withinHardTimeout(flight, work, options.hardTimeoutMs, () => {
      context.abort();
      report('timed-out');
    });
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
    const fills = [...flight.reads].map(([level, read]) => {
      const copy = core.entryFor(level.level, entry, options);
      return core.hub.stack.fill(level, [{ key, entry: copy, read }]);
    });
    const written = Promise.all(fills);
    core.guards.hold(flight.key);
    flight.guard.writes.add(written);
    core.inBackground('fill', () =>
      written.finally(() => {
        flight.guard.writes.delete(written);
        core.guards.release(flight.guard);
      }),
    );
    return written;
  }

  /** Waits until this process may load, or another one has stored what it loaded. */
  private async lease(
    flight: Flight,
    find: () => Promise<Answer | undefined>,
  ): Promise<{ answer?: Answer; release?: () => Promise<void> }> {
    const { leases } = this.core.hub;
    if (leases === undefined) return {};
    const { store, gate, leaseMs } = leases;
    const name = this.core.fullKey(flight.key);
    const owner = `${this.owner}:${newId()}`;
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
      await sleep(isFirst ? LEASE_POLL_MS / 2 : LEASE_POLL_MS * (0.5 + Math.random()));
    }
  }
}
