import { runBeyondDeadline } from '#libs/logging';
import { cacheLoad, type CacheLoad } from '../statistics/cache.channels.js';
import type { Answer } from './answer.js';
import { answerOf } from './answer.js';
import type { CacheCore } from './cache-core.js';
import type { ResolvedOptions } from './cache.options.js';
import type { Flight } from './flight.js';
import type { LoadWriter } from './load-writer.js';
import type { SharedReader } from './shared-reader.js';

/** Reads of many keys in one pass, joined with the flights of single ones. */
export class ManyReader {
  constructor(
    private readonly core: CacheCore,
    private readonly shared: SharedReader,
    private readonly writer: LoadWriter,
  ) {}

  /** What the shared levels have of a key; nothing is loaded. */
  async peek(key: string): Promise<Answer | undefined> {
    return (await this.lookUp([key])).get(key);
  }

  async getMany(keys: readonly string[]): Promise<Map<string, Answer>> {
    const { found, missing } = this.fromMemory(keys);
    for (const [key, answer] of await this.lookUp(missing)) found.set(key, answer);
    return found;
  }

  async getOrSetMany(
    keys: readonly string[],
    load: (missing: readonly string[]) => Promise<ReadonlyMap<string, unknown>>,
    options: ResolvedOptions,
  ): Promise<Map<string, Answer>> {
    const { core } = this;
    const { found, missing } = this.fromMemory(keys);
    const joinedAt = core.hub.versions.table.changes;
    const own: Flight[] = [];
    const joined: Flight[] = [];
    for (const key of missing) {
      const flight = core.guards.flightOf(key);
      if (flight === undefined) own.push(core.begin(key, undefined, false));
      else joined.push(flight);
    }
    if (own.length > 0) {
      // Others may join them, who have more time than this caller.
      runBeyondDeadline(() => core.inBackground('flights', () => this.fly(own, load, options)));
    }
    const answers = await Promise.all([...own, ...joined].map((flight) => flight.promise));
    const outdated: string[] = [];
    for (const [index, flight] of [...own, ...joined].entries()) {
      if (flight.servesJoiner(joinedAt)) found.set(flight.key, answers[index] as Answer);
      else outdated.push(flight.key);
    }
    if (outdated.length > 0) {
      for (const [key, answer] of await this.getOrSetMany(outdated, load, options))
        found.set(key, answer);
    }
    return found;
  }

  private fromMemory(keys: readonly string[]): { found: Map<string, Answer>; missing: string[] } {
    const { core } = this;
    const found = new Map<string, Answer>();
    const missing = new Set<string>();
    const nowMs = core.coarse.wake();
    for (const key of keys) {
      const entry = core.l1.get(key);
      if (entry !== undefined && entry.expiresMs > nowMs && core.isSound(entry)) {
        found.set(key, answerOf(entry, 'L1'));
      } else missing.add(key);
    }
    return { found, missing: [...missing] };
  }

  /** Looks up without letting others join: they may want to load. */
  private async lookUp(keys: readonly string[]): Promise<Map<string, Answer>> {
    const { core } = this;
    const found = new Map<string, Answer>();
    if (keys.length === 0 || !core.usesTiers) return found;
    const flights = keys.map((key) => core.beginAlone(key));
    try {
      for (const [flight, answer] of await this.shared.find(flights, core.options)) {
        found.set(flight.key, answer);
      }
    } finally {
      for (const flight of flights) core.guards.release(flight.guard);
    }
    return found;
  }

  /** Answers flights that were begun together. No flight is left without an answer. */
  private async fly(
    flights: readonly Flight[],
    load: (missing: readonly string[]) => Promise<ReadonlyMap<string, unknown>>,
    options: ResolvedOptions,
  ): Promise<void> {
    const { core } = this;
    let report: ((outcome: CacheLoad['outcome']) => void) | undefined;
    try {
      const [capture, found] = await Promise.all([
        this.writer.capture(options),
        this.shared.find(flights, options),
      ]);
      for (const [flight, answer] of found) flight.resolve(answer);
      const missing = flights.filter((flight) => !found.has(flight));
      if (missing.length === 0) return;
      for (const flight of missing) flight.vector = capture;
      const startedMs = core.hub.clock.monotonicMs();
      // One load, however many keys it is for; its first key stands for them.
      const { key } = missing[0] as Flight;
      const { namespace } = core;
      report = (outcome) => {
        const durationMs = core.hub.clock.monotonicMs() - startedMs;
        cacheLoad.publish(() => ({ namespace, key, durationMs, outcome, isBackground: false }));
      };
      core.counts.loads += 1;
      const values = await load(missing.map(({ key }) => key));
      const loadMs = core.hub.clock.monotonicMs() - startedMs;
      core.counts.loadMs += loadMs;
      report('stored');
      report = undefined;
      await Promise.all(
        missing.map(async (flight) => {
          const value = values.get(flight.key);
          const stored = await this.writer.store(flight, value, loadMs, options, capture);
          if (stored.outcome === 'discarded') core.counts.discarded += 1;
          flight.resolve(stored.answer);
        }),
      );
    } catch (error) {
      core.counts.loadFailures += 1;
      report?.('failed');
      for (const flight of flights) flight.reject(error);
    } finally {
      for (const flight of flights) core.end(flight);
    }
  }
}
