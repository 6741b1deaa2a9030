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
   * The answers of the flights that were found fresh, newer than `newerThanMs`. One call a level,
   * for the flights that the levels above did not answer.
   */
  async find(
    flights: readonly Flight[],
    options: ResolvedOptions,
    newerThanMs = Number.NEGATIVE_INFINITY,
  ): Promise<Map<Flight, Answer>> {
    const { core } = this;
    const found = new Map<Flight, Answer>();
    if (!core.usesTiers) {
      for (const flight of flights) dropSuspect(flight);
      return found;
    }
    // What this process has not been able to write or delete yet must not be read.
    const readable = flights.filter(({ key }) => !core.hub.recovery.has(recoveryId(core, key)));
    for (const level of core.hub.stack.levels) {
      const open = readable.filter((flight) => !found.has(flight));
      if (open.length === 0) break;
      await this.findIn(level, open, options, newerThanMs, found);
    }
    return found;
  }

  private async findIn(
    level: Level,
    flights: readonly Flight[],
    options: ResolvedOptions,
    newerThanMs: number,
    found: Map<Flight, Answer>,
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
    const entries = reads.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
    const verdicts = entries.length === 0 ? [] : await core.hub.versions.judge(entries);
    const verdictOf = new Map(entries.map((entry, index) => [entry, verdicts[index]]));
    const nowMs = core.hub.clock.nowMs();
    for (const [index, flight] of flights.entries()) {
      const read = reads[index];
      if (read === undefined) continue;
      flight.reads.set(level, read);
      dropSuspect(flight);
      const { entry } = read;
      const verdict = entry === undefined ? 'invalid' : verdictOf.get(entry);
      if (entry === undefined || verdict === 'invalid' || entry.createdMs <= newerThanMs) {
        level.counts.misses += 1;
        counts.misses += 1;
      } else if (verdict === 'valid' && entry.expiresMs > nowMs) {
        level.counts.hits += 1;
        counts.hits += 1;
        found.set(flight, this.promote(flight, level, entry, options, epoch));
      } else {
        level.counts.misses += 1;
        counts.misses += 1;
        if (entry.staleUntilMs > nowMs) {
          const stale = this.toL1Entry(entry, epoch);
          flight.offerStale({ entry: stale, isSuspect: verdict === 'unknown' });
        }
      }
    }
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
      for (const [level, read] of flight.reads) {
        if (level === from) continue;
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
