import pg, { type PoolConfig } from 'pg';
import { type Clock, SystemClock } from '#libs/core';
import { DataSource } from 'typeorm';
import type { PersistenceSettings } from './persistence.settings.js';
import { DatabaseError } from './errors/database-error.js';
import { PlatformPool } from './pool/platform-pool.js';
import { SnakeNamingStrategy } from './snake-naming.strategy.js';

type ClassList = readonly (new (...args: never[]) => object)[];

/** What the libs of an application contribute to its database. */
export interface DatabaseParts {
  readonly entities: ClassList;
  readonly migrations: ClassList;
}

/**
 * A data source that is not connected yet: migrations only, a pool with explicit limits, and
 * time-outs on everything that can wait. `applicationName` shows in `pg_stat_activity`.
 */
export function createDataSource(
  url: string,
  settings: PersistenceSettings,
  parts: DatabaseParts,
  applicationName = 'pantheon',
  clock: Clock = new SystemClock(),
): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    applicationName,
    driver: { ...pg, Pool: poolClass(settings, clock), native: undefined },
    entities: [...parts.entities],
    migrations: [...parts.migrations],
    migrationsTableName: 'pantheon_migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    namingStrategy: new SnakeNamingStrategy(),
    logging: false,
    installExtensions: false,
    // A pooled connection that breaks while idle is replaced on next use. Without this listener
    // its error event would end the process.
    poolErrorHandler: () => undefined,
    extra: {
      max: settings.poolSize,
      connectionTimeoutMillis: settings.acquireTimeoutMs,
      idleTimeoutMillis: settings.idleTimeoutMs,
      statement_timeout: settings.statementTimeoutMs,
      idle_in_transaction_session_timeout: settings.idleInTransactionTimeoutMs,
      keepAlive: true,
    },
  });
}

/** The connection pool under a data source; undefined while it is not connected. */
export function poolOf(dataSource: DataSource): PlatformPool | undefined {
  // TypeORM's type of a driver does not tell of it.
  return (dataSource.driver as unknown as { readonly master?: PlatformPool }).master;
}

/** The pool under a data source. @throws DatabaseError DATABASE_UNAVAILABLE while it is not connected */
export function connectedPoolOf(dataSource: DataSource): PlatformPool {
  const pool = poolOf(dataSource);
  if (pool !== undefined) return pool;
  throw new DatabaseError(
    'DATABASE_UNAVAILABLE',
    'The database is not connected.',
    'unavailable',
    undefined,
  );
}

/** TypeORM makes the pool itself, from a class that it is given. */
function poolClass(settings: PersistenceSettings, clock: Clock) {
  return class extends PlatformPool {
    constructor(config: PoolConfig) {
      super(config, {
        clock,
        maxWaiting: settings.maxWaiting,
        breaker: { timeouts: settings.breakerTimeouts, openMs: settings.breakerOpenMs },
        prepared: settings.preparedStatements
          ? {
              afterUses: settings.prepareAfterUses,
              perConnection: settings.preparedPerConnection,
            }
          : undefined,
      });
    }
  };
}
