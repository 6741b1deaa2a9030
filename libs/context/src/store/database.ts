import type { Pool, PoolClient } from 'pg';
import type { DataSource } from 'typeorm';

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
  constructor(private readonly dataSource: DataSource) {}

  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await this.pool.query(sql, [...values]);
    return rows as Row[];
  }

  /** Runs `work` in a transaction that is committed when it resolves and undone when it rejects. */
  async transaction<Result>(work: (transaction: Queryable) => Promise<Result>): Promise<Result> {
    const { client, release } = await this.acquire();
    try {
      await client.query('BEGIN');
      const result = await work(asQueryable(client));
      await client.query('COMMIT');
      release();
      return result;
    } catch (error) {
      await client.query('ROLLBACK').then(
        () => release(),
        (broken: unknown) => release(broken instanceof Error ? broken : new Error('ROLLBACK')),
      );
      throw error;
    }
  }

  async acquire(): Promise<OwnConnection> {
    const client = await this.pool.connect();
    // A connection that breaks between two statements emits an error that nobody else hears; the
    // next statement on it rejects, which is where the failure belongs.
    const ignore = (): void => undefined;
    client.on('error', ignore);
    let released = false;
    return {
      client,
      release(error) {
        if (released) return;
        released = true;
        client.off('error', ignore);
        client.release(error);
      },
    };
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
