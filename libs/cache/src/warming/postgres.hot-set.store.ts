import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '#libs/core';
import { DataSource } from 'typeorm';
import { EntryCodec } from '../entry/entry-codec.js';
import {
  type HotKeyReads,
  type HotKeyRecipe,
  HotSetStore,
  type HourReads,
} from './hot-set.store.js';

/** A key that nobody has read for so long is not worth remembering. */
const FORGET_KEYS_AFTER_DAYS = 14;
const FORGET_HOURS_AFTER_DAYS = 28;
const HALF_LIFE_SECONDS = 86_400;
const HOUR_MS = 3_600_000;

/** Reads of a row as they count now. */
const READS_NOW = `reads * power(0.5, greatest(0, extract(epoch FROM $NOW - read_at)) / ${HALF_LIFE_SECONDS})`;

/**
 * Keeps hot keys in PostgreSQL. Keys and arguments may tell of people: they are encrypted as the
 * entries of the cache are, when there are keys for that, and stored only of methods that ask for it.
 */
@Injectable()
export class PostgresHotSetStore extends HotSetStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly codec: EntryCodec,
    private readonly clock: Clock,
  ) {
    super();
  }

  async addKeys(namespace: string, keys: readonly HotKeyReads[], keep: number): Promise<void> {
    const now = this.clock.now();
    const hashes: string[] = [];
    const recipes: Buffer[] = [];
    for (const { key, args } of keys) {
      const name = nameOf(namespace, hashOf(key));
      hashes.push(hashOf(key));
      recipes.push(await this.codec.encode(name, entryOf({ key, args })));
    }
    await this.dataSource.query(
      `INSERT INTO cache_hot_key AS known (namespace, key_hash, recipe, reads, read_at)
       SELECT $1, hash, recipe, reads, $5::timestamptz
       FROM unnest($2::uuid[], $3::bytea[], $4::float8[]) AS new (hash, recipe, reads)
       ORDER BY hash
       ON CONFLICT (namespace, key_hash) DO UPDATE SET
         recipe = excluded.recipe,
         reads = ${readsAt('$5::timestamptz', 'known.')} + excluded.reads,
         read_at = excluded.read_at`,
      [namespace, hashes, recipes, keys.map(({ reads }) => reads), now],
    );
    await this.dataSource.query(
      `DELETE FROM cache_hot_key WHERE namespace = $1 AND (
         read_at < $2::timestamptz - make_interval(days => ${FORGET_KEYS_AFTER_DAYS})
         OR key_hash IN (
           SELECT key_hash FROM cache_hot_key WHERE namespace = $1
           ORDER BY ${readsAt('$2::timestamptz')} DESC, key_hash OFFSET $3))`,
      [namespace, now, keep],
    );
  }

  async top(namespace: string, limit: number): Promise<readonly HotKeyRecipe[]> {
    const rows: { hash: string; recipe: Buffer }[] = await this.dataSource.query(
      `SELECT key_hash AS hash, recipe FROM cache_hot_key WHERE namespace = $1
       ORDER BY ${readsAt('$2::timestamptz')} DESC, key_hash LIMIT $3`,
      [namespace, this.clock.now(), limit],
    );
    const recipes: HotKeyRecipe[] = [];
    for (const { hash, recipe } of rows) {
      const known = await this.decode(nameOf(namespace, hash), recipe);
      if (known !== undefined) recipes.push(known);
    }
    return recipes;
  }

  async addHours(namespace: string, hours: readonly HourReads[]): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO cache_hour_profile AS known (namespace, hour, reads)
       SELECT $1, hour, reads FROM unnest($2::timestamptz[], $3::bigint[]) AS new (hour, reads)
       ORDER BY hour
       ON CONFLICT (namespace, hour) DO UPDATE SET reads = known.reads + excluded.reads`,
      [
        namespace,
        hours.map(({ hourMs }) => new Date(hourMs)),
        hours.map(({ reads }) => Math.round(reads)),
      ],
    );
    await this.dataSource.query(
      `DELETE FROM cache_hour_profile
       WHERE namespace = $1 AND hour < $2::timestamptz - make_interval(days => ${FORGET_HOURS_AFTER_DAYS})`,
      [namespace, this.clock.now()],
    );
  }

  async hours(namespace: string): Promise<readonly HourReads[]> {
    const rows: { hour: Date; reads: string }[] = await this.dataSource.query(
      'SELECT hour, reads FROM cache_hour_profile WHERE namespace = $1 ORDER BY hour',
      [namespace],
    );
    return rows.map(({ hour, reads }) => ({
      hourMs: Math.floor(hour.getTime() / HOUR_MS) * HOUR_MS,
      reads: Number(reads),
    }));
  }

  async deploy(program: string, version: string): Promise<boolean> {
    const rows: unknown[] = await this.dataSource.query(
      `INSERT INTO cache_deployment AS known (program, version, deployed_at) VALUES ($1, $2, $3)
       ON CONFLICT (program) DO UPDATE SET version = excluded.version, deployed_at = excluded.deployed_at
       WHERE known.version <> excluded.version RETURNING 1`,
      [program, version, this.clock.now()],
    );
    return rows.length > 0;
  }

  /** What was written with a key that is gone, or by another version, is no recipe. */
  private async decode(name: string, bytes: Buffer): Promise<HotKeyRecipe | undefined> {
    try {
      const { value } = await this.codec.decode(name, bytes);
      return value as HotKeyRecipe;
    } catch {
      return undefined;
    }
  }
}

function readsAt(now: string, table = ''): string {
  return READS_NOW.replace('$NOW', now).replaceAll(/\b(reads|read_at)\b/g, `${table}$1`);
}

function hashOf(key: string): string {
  const hex = createHash('sha256').update(key).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** What an encrypted recipe is bound to. */
function nameOf(namespace: string, hash: string): string {
  return `hot:${namespace}:${hash}`;
}

function entryOf(value: HotKeyRecipe) {
  return {
    value,
    createdMs: 0,
    expiresMs: 0,
    staleUntilMs: 0,
    loadMs: 0,
    tags: [],
    versions: [],
  };
}
