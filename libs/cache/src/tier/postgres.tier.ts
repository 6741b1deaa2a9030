import type { Clock } from '#libs/core';
import type { CodecCounts } from '../entry/codec-counts.js';
import type { EntryCodec } from '../entry/entry-codec.js';
import {
  CacheTier,
  DEFAULT_FENCE_MS,
  type TierRead,
  type TierUsage,
  type TierWrite,
} from './cache-tier.js';
import { decodeOrMiss, readsOf } from './decode-or-miss.js';
import { newFence } from './fence.js';
import { hashedKey } from './key-name.js';
import { CLEAR, DROP, FILL, PUT, READ, SWEEP, USAGE } from './postgres.statements.js';
import type { SqlClient } from './sql-client.js';

export interface PostgresTierOptions {
  /** Stays the caller's to close. The migrations `cacheMigrations` must have run. */
  readonly sql: SqlClient;
  readonly codec: EntryCodec;
  readonly clock: Clock;
  /** Separates caches that share the table. Default none. */
  readonly prefix?: string;
  readonly fenceMs?: number;
  /** Default `postgres`. */
  readonly name?: string;
  /** A write sweeps expired rows too when the last sweep is that long ago. Default 30 s. */
  readonly sweepEveryMs?: number;
  /** Rows that one sweep removes at most. Default 500. */
  readonly sweepRows?: number;
  /** A statement that takes longer gives up its connection. Default 2,000. */
  readonly timeoutMs?: number;
}

/**
 * An UNLOGGED table of PostgreSQL. A row is an entry, and the fence of its key; a row without value
 * is only a fence. PostgreSQL locks a row while it compares its fence, so that a load that began
 * before a deletion can never store afterwards. Its times count by the clock of the process.
 */
export class PostgresTier extends CacheTier {
  readonly name: string;
  readonly isAtomic = true;
  readonly fenceMs: number;
  readonly codec: EntryCodec;
  readonly clock: Clock;
  private readonly options: PostgresTierOptions;
  private readonly prefix: string;
  private sweptAtMs: number;
  private sweptSoFar = 0;

  constructor(options: PostgresTierOptions) {
    super();
    this.options = options;
    this.codec = options.codec.counting();
    this.clock = options.clock;
    this.name = options.name ?? 'postgres';
    this.prefix = options.prefix ?? '';
    this.fenceMs = options.fenceMs ?? DEFAULT_FENCE_MS;
    this.sweptAtMs = options.clock.monotonicMs();
  }

  override get traffic(): CodecCounts {
    return this.codec.counts;
  }

  async get(key: string): Promise<TierRead> {
    const [read] = await this.getMany([key]);
    return read as TierRead;
  }

  async getMany(keys: readonly string[]): Promise<TierRead[]> {
    if (keys.length === 0) return [];
    const hashes = keys.map((key) => this.hash(key));
    const rows = await this.run<{ place: string; value: Buffer | null; fence: string }>(READ, [
      hashes,
      this.clock.now(),
    ]);
    const byPlace = new Map(rows.map((row) => [Number(row.place), row]));
    const found = keys.map((_, index) => byPlace.get(index + 1));
    return readsOf(
      keys.map((key, index) => {
        const { value, fence = '' } = found[index] ?? {};
        return {
          entry: decodeOrMiss(this.name, this, key, value ?? undefined),
          fence,
          bytes: value?.length,
        };
      }),
    );
  }

  async set(write: TierWrite): Promise<boolean> {
    const [stored] = await this.setMany([write]);
    return stored as boolean;
  }

  async setMany(writes: readonly TierWrite[]): Promise<boolean[]> {
    const [fills, puts] = await Promise.all([
      this.write(
        FILL,
        writes.filter(({ fence }) => fence !== undefined),
      ),
      this.write(
        PUT,
        writes.filter(({ fence }) => fence === undefined),
      ),
    ]);
    await this.sweepWhenDue();
    return writes.map(({ key, fence }) => (fence === undefined ? puts : fills).has(this.hash(key)));
  }

  async delete(key: string): Promise<boolean> {
    return (await this.deleteMany([key])) === 1;
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const nowMs = this.clock.nowMs();
    const hashes = [...new Set(keys.map((key) => this.hash(key)))].sort();
    const [row] = await this.run<{ deleted: string }>(DROP, [
      hashes,
      newFence(nowMs),
      new Date(nowMs + this.fenceMs),
      new Date(nowMs),
    ]);
    return Number(row?.deleted ?? 0);
  }

  /** Removes the rows of every cache that shares the table; fences stay. */
  async clear(): Promise<void> {
    const nowMs = this.clock.nowMs();
    await this.run(CLEAR, [newFence(nowMs), new Date(nowMs + this.fenceMs)]);
  }

  override async sweep(): Promise<number> {
    this.sweptAtMs = this.clock.monotonicMs();
    const values = [this.clock.now(), this.options.sweepRows ?? 500];
    const [row] = await this.run<{ swept: string }>(SWEEP, values);
    const swept = Number(row?.swept ?? 0);
    this.sweptSoFar += swept;
    return swept;
  }

  override get swept(): number {
    return this.sweptSoFar;
  }

  override async usage(): Promise<TierUsage> {
    const [row] = await this.run<{ items: string; bytes: string }>(USAGE, []);
    return { items: Number(row?.items ?? 0), bytes: Number(row?.bytes ?? 0) };
  }

  /** The hashes that were stored. Sorted, so that two writers never wait for each other. */
  private async write(
    statement: { name: string; text: string },
    writes: readonly TierWrite[],
  ): Promise<Set<string>> {
    if (writes.length === 0) return new Set();
    const nowMs = this.clock.nowMs();
    // The last write of a key wins; one statement cannot touch a row twice.
    const byHash = new Map(writes.map((write) => [this.hash(write.key), write]));
    const sorted = [...byHash].sort(([a], [b]) => (a < b ? -1 : 1));
    const values = await this.codec.encodeAll(sorted.map(([, write]) => write));
    const rows = await this.run<{ key_hash: string }>(statement, [
      sorted.map(([hash]) => hash),
      values,
      sorted.map(([, { fence }]) => fence ?? newFence(nowMs)),
      sorted.map(([, { entry }]) => new Date(entry.staleUntilMs)),
      // The row outlives its entry as long as its fence has to be remembered.
      new Date(nowMs + this.fenceMs),
      ...(statement === FILL ? [new Date(nowMs)] : []),
    ]);
    return new Set(rows.map((row) => row.key_hash.replaceAll('-', '')));
  }

  private async sweepWhenDue(): Promise<void> {
    const sinceMs = this.clock.monotonicMs() - this.sweptAtMs;
    if (sinceMs >= (this.options.sweepEveryMs ?? 30_000)) await this.sweep();
  }

  private async run<Row extends object>(
    statement: { name: string; text: string },
    values: unknown[],
  ): Promise<Row[]> {
    const query = { ...statement, values, query_timeout: this.options.timeoutMs ?? 2_000 };
    return (await this.options.sql.query<Row>(query)).rows;
  }

  private hash(key: string): string {
    return hashedKey(this.prefix + key);
  }
}
