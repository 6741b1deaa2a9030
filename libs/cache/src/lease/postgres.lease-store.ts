import { hashedKey } from '../tier/key-name.js';
import type { SqlClient } from '../tier/sql-client.js';
import { LeaseStore } from './lease-store.js';

/** $1 key, $2 owner, $3 life in ms. */
const ACQUIRE = {
  name: 'cache_lease_acquire',
  text: `
    INSERT INTO cache_lease AS held (key_hash, owner, expires_at)
    VALUES ($1, $2, clock_timestamp() + $3 * interval '1 ms')
    ON CONFLICT (key_hash) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
    WHERE held.expires_at <= clock_timestamp() OR held.owner = excluded.owner
    RETURNING 1`,
};

const RELEASE = {
  name: 'cache_lease_release',
  text: 'DELETE FROM cache_lease WHERE key_hash = $1 AND owner = $2',
};

export interface PostgresLeaseStoreOptions {
  /** Stays the caller's to close. The migrations `cacheMigrations` must have run. */
  readonly sql: SqlClient;
  /** Separates caches that share the table. Default none. */
  readonly prefix?: string;
  readonly timeoutMs?: number;
}

/** Leases in an UNLOGGED table of PostgreSQL, by the clock of the server. */
export class PostgresLeaseStore extends LeaseStore {
  readonly name = 'postgres-leases';

  constructor(private readonly options: PostgresLeaseStoreOptions) {
    super();
  }

  async acquire(key: string, owner: string, leaseMs: number): Promise<boolean> {
    const { rowCount } = await this.run(ACQUIRE, [this.hash(key), owner, leaseMs]);
    return rowCount === 1;
  }

  async release(key: string, owner: string): Promise<void> {
    await this.run(RELEASE, [this.hash(key), owner]);
  }

  private run(
    statement: { name: string; text: string },
    values: unknown[],
  ): Promise<{ rowCount: number | null }> {
    const query_timeout = this.options.timeoutMs ?? 2_000;
    return this.options.sql.query({ ...statement, values, query_timeout });
  }

  private hash(key: string): string {
    return hashedKey(`${this.options.prefix ?? ''}${key}`);
  }
}
