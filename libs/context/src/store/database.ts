import type { Pool, PoolClient } from 'pg';
import { type RowStreamOptions, streamRows } from '#libs/persistence';
import type { DataSource } from 'typeorm';
import { ContextBusyError } from '../errors/context-busy.error.js';

/** Something that runs one statement: the pool, or a transaction. */
export interface Queryable {
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** A connection of one's own, to be given back. */
export interface OwnConnection {
  readonly client: PoolClient;
  /** Gives it back; with an error it is closed instead. May be called twice. */
  release(this: void, error?: Error): void;
}

/**
 * The database as the hot paths use it: the pool under TypeORM's data source, without a query
 * runner per statement.
 */
export class ContextDatabase implements Queryable {
  private longConnections = 0;

  /**
   * @param maxLongConnections connections that may be held for as long as a client reads or
   * writes, so that slow clients cannot take the whole pool
   */
  constructor(
    private readonly dataSource: DataSource,
    private readonly maxLongConnections = 8,
  ) {}

  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await this.pool.query(sql, [...values]);
    return rows as Row[];
  }

  /** Runs `work` in a transaction that is committed when it resolves and undone when it rejects. */
  async transaction<Result>(work: (transaction: Queryable) => Promise<Result>): Promise<Result> {
    return this.runTransaction(await this.acquire(), work);
  }

  /** Like `transaction`, for one that lasts as long as a client sends. @throws ContextBusyError */
  async longTransaction<Result>(
    work: (transaction: Queryable) => Promise<Result>,
  ): Promise<Result> {
    return this.runTransaction(await this.acquireLong(), work);
  }

  /** A connection for as long as a client reads. @throws ContextBusyError */
  async acquireLong(): Promise<OwnConnection> {
    if (this.longConnections >= this.maxLongConnections) {
      throw new ContextBusyError(this.maxLongConnections);
    }
    this.longConnections += 1;
    try {
      const { client, release } = await this.acquire();
      let released = false;
      return {
        client,
        release: (error) => {
          if (!released) this.longConnections -= 1;
          released = true;
          release(error);
        },
      };
    } catch (error) {
      this.longConnections -= 1;
      throw error;
    }
  }

  private async runTransaction<Result>(
    { client, release }: OwnConnection,
    work: (transaction: Queryable) => Promise<Result>,
  ): Promise<Result> {
    try {
      await client.query('BEGIN');
      const result = await work(asQueryable(client));
      await client.query('COMMIT');
      release();
      return result;
    } catch (error) {
      await client.query('ROLLBACK').then(
        () => release(),
        (broken: unknown) => release(new Error('ROLLBACK failed', { cause: broken })),
      );
      throw error;
    }
  }

  async acquire(): Promise<OwnConnection> {
    const client = await this.pool.connect();
    let released = false;
    return {
      client,
      release(error) {
        if (released) return;
        released = true;
        client.release(error);
      },
    };
  }

  /**
   * The rows of a query, as fast as they are taken; ended by the reader or the signal.
   * @throws ContextBusyError when too many are under way
   */
  async stream<Row>(
    sql: string,
    values: readonly unknown[],
    options: Partial<RowStreamOptions>,
  ): Promise<AsyncIterableIterator<Row>> {
    const connection = await this.acquireLong();
    return streamRows<Row>(this.dataSource, sql, values, { ...options, connection });
  }

  private get pool(): Pool {
    return (this.dataSource.driver as unknown as { readonly master: Pool }).master;
  }
}

/** A connection as something to run statements on. */
export function asQueryable(client: PoolClient): Queryable {
  return {
    async query<Row>(sql: string, values: readonly unknown[] = []) {
      const { rows } = await client.query(sql, [...values]);
      return rows as Row[];
    },
  };
}
