import { setTimeout as sleep } from 'node:timers/promises';
import Cursor from 'pg-cursor';
import type { ContextDatabase, OwnConnection } from './database.js';

export interface RowStreamOptions {
  /** Rows taken from the cursor at once; that many are in memory. */
  readonly batchRows: number;
  readonly signal?: AbortSignal | undefined;
}

/** An orderly end of a cursor takes no longer; after this its connection is closed. */
const CLOSE_TIMEOUT_MS = 2000;

/**
 * The rows of a query, read from a database cursor as fast as they are taken. The query is
 * cancelled on the server and its connection given back when the reader stops or the signal
 * aborts; then there are no more rows.
 * @throws ContextBusyError when too many are under way
 */
export async function openRows<Row>(
  database: ContextDatabase,
  sql: string,
  values: readonly unknown[],
  options: RowStreamOptions,
): Promise<AsyncIterableIterator<Row>> {
  const rows = new QueryRows<Row>(database, await database.acquireLong(), sql, values, options);
  if (options.signal?.aborted === true) await rows.return();
  return rows;
}

/** Open until `ending` is set; what is read after that counts as nothing. */
class QueryRows<Row> implements AsyncIterableIterator<Row> {
  private readonly cursor: Cursor<Row>;
  private batch: readonly Row[] = [];
  private position = 0;
  private isReading = false;
  private ending: Promise<void> | undefined;
  private readonly onAbort = (): void => {
    this.ending ??= this.end();
  };

  constructor(
    private readonly database: ContextDatabase,
    private readonly connection: OwnConnection,
    sql: string,
    values: readonly unknown[],
    private readonly options: RowStreamOptions,
  ) {
    this.cursor = connection.client.query(new Cursor<Row>(sql, [...values]));
    options.signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  async next(): Promise<IteratorResult<Row>> {
    if (this.position === this.batch.length) await this.read();
    const value = this.batch[this.position];
    if (value === undefined || this.ending !== undefined) return this.return();
    this.position += 1;
    return { done: false, value };
  }

  async return(): Promise<IteratorResult<Row>> {
    this.ending ??= this.end();
    await this.ending;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private async read(): Promise<void> {
    this.batch = [];
    this.position = 0;
    if (this.ending !== undefined) return;
    this.isReading = true;
    try {
      this.batch = await this.cursor.read(this.options.batchRows);
    } catch (error) {
      // After an abort the broken read is what was asked for.
      if (this.ending !== undefined) return;
      this.ending = this.end();
      await this.ending;
      throw error;
    } finally {
      this.isReading = false;
    }
  }

  private async end(): Promise<void> {
    this.options.signal?.removeEventListener('abort', this.onAbort);
    if (this.isReading) await this.cancel();
    // A connection that is gone never says that the cursor is closed.
    const timeout = new AbortController();
    const isClosed = await Promise.race([
      this.cursor.close().then(
        () => true,
        () => false,
      ),
      sleep(CLOSE_TIMEOUT_MS, false, { ref: false, signal: timeout.signal }).catch(() => false),
    ]);
    timeout.abort();
    this.connection.release(isClosed ? undefined : new Error('The cursor did not close.'));
  }

  /** The connection is still ours, so nobody else's query can be hit. */
  private async cancel(): Promise<void> {
    const { processID } = this.connection.client as unknown as { readonly processID: number };
    await this.database.query('SELECT pg_cancel_backend($1)', [processID]).catch(() => undefined);
  }
}
