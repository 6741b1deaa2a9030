import { types } from 'node:util';
import type { CacheEntry } from '../entry/cache-entry.js';
import type { Answer } from './answer.js';
import { type CacheCore, type LevelTally, OWN_TAGS_FROM } from './cache-core.js';
import type { ResolvedOptions } from './cache.options.js';
import type { Flight } from './flight.js';
import { L1Entry } from './l1-entry.js';
import type { Level } from './tier-stack.js';

/** Looks keys up in the shared levels for their flights, and copies what it finds upwards. */
export class SharedReader {
  constructor(private readonly core: CacheCore) {}

  /**
   * The answers of the flights that were found fresh. One call a level, for the flights that the
   * levels above did not answer.
   */
  async find(flights: readonly Flight[], options: ResolvedOptions): Promise<Map<Flight, Answer>> {
    if (this.core.usesTiers) await this.look(flights, options, Number.NEGATIVE_INFINITY);
    else for (const flight of flights) this.foundNothing(flight);
    const found = new Map<Flight, Answer>();
    for (const flight of flights) {
      if (flight.found !== undefined) found.set(flight, flight.found);
    }
    return found;
  }

  /** The same for one, of something that is newer than `newerThanMs`. */
  async findOne(
    flight: Flight,
    options: ResolvedOptions,
    newerThanMs = Number.NEGATIVE_INFINITY,
  ): Promise<Answer | undefined> {
    await this.look([flight], options, newerThanMs);
    return flight.found;
  }

  /** Without shared levels: what may be outdated here is of no use. */
  foundNothing(flight: Flight): void {
    dropSuspect(flight);
  }

  private async look(
    flights: readonly Flight[],
    options: ResolvedOptions,
    newerThanMs: number,
  ): Promise<void> {
    const { core } = this;
    const { recovery, stack } = core.hub;
    // What this process has not been able to write or delete yet must not be read.
    let open =
      recovery.size === 0
        ? flights
        : flights.filter(({ key }) => !recovery.has(recoveryId(core, key)));
    for (const level of stack.levels) {
      if (open.length === 0) return;
      await this.lookInto(level, open, options, newerThanMs);
      open = open.filter(({ found }) => found === undefined);
    }
  }

  private async lookInto(
    level: Level,
    flights: readonly Flight[],
    options: ResolvedOptions,
    newerThanMs: number,
  ): Promise<void> {
    const { core } = this;
    const reads = await core.hub.stack.read(
      level,
      flights.map(({ key }) => core.fullKey(key)),
    );
    if (reads === undefined) return;
    const counts = core.levelReads[level.index] as LevelTally;
    counts.timed += 1;
    counts.ms += core.hub.clock.monotonicMs() - (reads[0]?.askedAtMs ?? 0);
    const { epoch } = core.hub.sync;
    const entries: CacheEntry[] = [];
    for (const { entry } of reads) if (entry !== undefined) entries.push(entry);
    const judged = entries.length === 0 ? [] : core.hub.versions.judge(entries);
    const verdicts = types.isPromise(judged) ? await judged : judged;
    const nowMs = core.hub.clock.nowMs();
    let hits = 0;
    let judgedAt = 0;
    for (const [index, read] of reads.entries()) {
      const flight = flights[index] as Flight;
      flight.reads[level.index] = read;
      dropSuspect(flight);
      const { entry } = read;
      if (entry === undefined) continue;
      const verdict = verdicts[judgedAt];
      judgedAt += 1;
      if (verdict === 'invalid' || entry.createdMs <= newerThanMs) continue;
      if (verdict === 'valid' && entry.expiresMs > nowMs) {
        hits += 1;
        flight.found = this.promote(flight, level, entry, options, epoch);
      } else if (entry.staleUntilMs > nowMs) {
        const stale = this.toL1Entry(entry, epoch);
        flight.offerStale({ entry: stale, isSuspect: verdict === 'unknown' });
      }
    }
    level.counts.hits += hits;
    level.counts.misses += reads.length - hits;
    counts.hits += hits;
    counts.misses += reads.length - hits;
  }

  /** Copies to the levels above with the life that is left. */
  private promote(
    flight: Flight,
    from: Level,
    entry: CacheEntry,
    options: ResolvedOptions,
    epoch: number,
  ): Answer {
    const { core } = this;
    const { key } = flight;
    const vector = core.hub.versions.vectorOf(entry);
    const tags = core.hub.versions.tagsOf(vector, OWN_TAGS_FROM);
    flight.vector = vector;
    if (!flight.isKeyMoved && flight.servesJoiner(Number.NaN)) {
      core.keep(key, entry.value, entry, { loadMs: entry.loadMs, tags, epoch, options });
      for (const level of core.hub.stack.levels) {
        const read = flight.reads[level.index];
        if (level === from || read === undefined) continue;
        const copy = core.entryFor(level.level, entry, options);
        core.inBackground('promote', () =>
          core.hub.stack.fill(level, [{ key: core.fullKey(key), entry: copy, read }]),
        );
      }
    }
    const { value, createdMs, expiresMs } = entry;
    return { value, source: from.level, createdMs, expiresMs };
  }

  private toL1Entry(entry: CacheEntry, epoch: number): L1Entry {
    const { versions } = this.core.hub;
    return new L1Entry(
      entry.value,
      entry.expiresMs,
      entry.expiresMs,
      entry.staleUntilMs,
      entry.createdMs,
      entry.loadMs,
      epoch,
      versions.tagsOf(versions.vectorOf(entry), OWN_TAGS_FROM),
    );
  }
}

/** Names the recovery of a key. */
export function recoveryId(core: CacheCore, key: string): string {
  return `k:${core.fullKey(key)}`;
}

/** A shared level has answered, so what may be outdated here is of no use any more. */
function dropSuspect(flight: Flight): void {
  if (flight.stale?.isSuspect === true) flight.stale = undefined;
}
