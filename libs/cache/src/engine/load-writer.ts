import type { CacheEntry } from '../entry/cache-entry.js';
import type { CacheLoad } from '../statistics/cache.channels.js';
import type { Answer } from './answer.js';
import { type CacheCore, OWN_TAGS_FROM } from './cache-core.js';
import type { ResolvedOptions } from './cache.options.js';
import { type EntryTimes, lifeOf, timesOf } from './entry-times.js';
import type { Flight } from './flight.js';
import { isCurrent, type TagRef } from './tag-table.js';
import type { Capture } from './versions.js';

/** What became of a loaded value. */
export interface Stored {
  readonly answer: Answer;
  readonly outcome: CacheLoad['outcome'];
  /** Resolves when the shared levels have it or have refused it. */
  readonly written: Promise<unknown>;
}

/** Of what no shared level gets. */
export const NOTHING_WRITTEN: Promise<unknown> = Promise.resolve();

/** Stores what was loaded, unless it was invalidated since the load began. */
export class LoadWriter {
  constructor(private readonly core: CacheCore) {}

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
}

function unstored(value: unknown, nowMs: number): Answer {
  return { value, source: 'MISS', createdMs: nowMs, expiresMs: nowMs };
}

function nameOf({ name }: TagRef): string {
  return name;
}
