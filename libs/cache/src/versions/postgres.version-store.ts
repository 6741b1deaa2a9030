import { hashedKey } from '../tier/key-name.js';
import type { SqlClient } from '../tier/sql-client.js';
import { VersionStore, type VersionRead } from './version-store.js';

/** $1 hashes. The clock too, in the same snapshot; the day of use is renewed by `MAKE`. */
const READ = {
  name: 'cache_version_read',
  text: `
    SELECT (SELECT last_value FROM cache_clock) AS now, asked.place, known.version
    FROM (SELECT 0 AS place, NULL::uuid AS name_hash
          UNION ALL
          SELECT place, name_hash FROM unnest($1::uuid[]) WITH ORDINALITY AS list (name_hash, place)
         ) AS asked
    LEFT JOIN cache_version known
      ON known.name_hash = asked.name_hash AND known.used_on = current_date`,
};

/** $1 hashes, sorted. Names that are new take the present time of the clock. */
const MAKE = {
  name: 'cache_version_make',
  text: `
    INSERT INTO cache_version AS known (name_hash, version)
    SELECT name_hash, (SELECT last_value FROM cache_clock) FROM unnest($1::uuid[]) AS asked (name_hash)
    ON CONFLICT (name_hash) DO UPDATE SET used_on = current_date
    RETURNING name_hash, version`,
};

/** $1 hashes, sorted. The version is drawn under the lock of the row, so it only grows. */
const BUMP = {
  name: 'cache_version_bump',
  text: `
    INSERT INTO cache_version AS known (name_hash, version)
    SELECT name_hash, nextval('cache_clock') FROM unnest($1::uuid[]) AS asked (name_hash)
    ON CONFLICT (name_hash) DO UPDATE SET version = nextval('cache_clock'), used_on = current_date
    RETURNING name_hash, version`,
};

const FORGET = {
  name: 'cache_version_forget',
  text: `DELETE FROM cache_version WHERE used_on < current_date - $1::int`,
};

interface Versioned {
  readonly name_hash: string;
  readonly version: string;
}

export interface PostgresVersionStoreOptions {
  /** Stays the caller's to close. The migrations `cacheMigrations` must have run. */
  readonly sql: SqlClient;
  /** Separates caches that share the table. Default none. */
  readonly prefix?: string;
  readonly timeoutMs?: number;
}

/** Versions in a table and a sequence of PostgreSQL. */
export class PostgresVersionStore extends VersionStore {
  readonly name = 'postgres-versions';

  constructor(private readonly options: PostgresVersionStoreOptions) {
    super();
  }

  async read(names: readonly string[]): Promise<VersionRead> {
    const hashes = names.map((name) => this.hash(name));
    const rows = await this.run<{ now: string; place: string; version: string | null }>(
      READ,
      hashes,
    );
    const known = new Map(rows.map((row) => [Number(row.place), row.version]));
    const missing = hashes.filter((_, index) => (known.get(index + 1) ?? null) === null);
    const made =
      missing.length === 0 ? new Map<string, number>() : await this.upsert(MAKE, missing);
    return {
      versions: hashes.map((hash, index) => Number(known.get(index + 1) ?? made.get(hash))),
      now: Number(rows[0]?.now),
    };
  }

  async bump(names: readonly string[]): Promise<number[]> {
    const hashes = names.map((name) => this.hash(name));
    const versions = await this.upsert(BUMP, hashes);
    return hashes.map((hash) => versions.get(hash) as number);
  }

  /** Forgets names that nobody used for `days`; entries that have them count as invalidated. */
  async forget(days = 30): Promise<number> {
    const { rowCount } = await this.options.sql.query({ ...FORGET, values: [days] });
    return rowCount ?? 0;
  }

  private async upsert(
    statement: { name: string; text: string },
    hashes: readonly string[],
  ): Promise<Map<string, number>> {
    const rows = await this.run<Versioned>(statement, [...new Set(hashes)].sort());
    return new Map(rows.map((row) => [row.name_hash.replaceAll('-', ''), Number(row.version)]));
  }

  private async run<Row extends object>(
    statement: { name: string; text: string },
    hashes: readonly string[],
  ): Promise<Row[]> {
    const query_timeout = this.options.timeoutMs ?? 2_000;
    return (await this.options.sql.query<Row>({ ...statement, values: [hashes], query_timeout }))
      .rows;
  }

  private hash(name: string): string {
    return hashedKey(`${this.options.prefix ?? ''}${name}`);
  }
}
