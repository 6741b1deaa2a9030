import { setTimeout as sleep } from 'node:timers/promises';
import QueryStream from 'pg-query-stream';
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
  return new QueryRows<Row>(database, await database.acquireLong(), sql, values, options);
}

class QueryRows<Row> implements AsyncIterableIterator<Row> {
  private readonly stream: QueryStream;
  private readonly rows: AsyncIterator<Row>;
  private ending: Promise<void> | undefined;
  private readonly onAbort = (): void => {
    this.ending ??= this.end();
  };

  constructor(
    private readonly database: ContextDatabase,
    private readonly connection: OwnConnection,
    sql: string,
    values: readonly unknown[],
    { batchRows, signal }: RowStreamOptions,
  ) {
    this.stream = connection.client.query(
      new QueryStream(sql, [...values], { batchSize: batchRows, highWaterMark: batchRows }),
    );
    // Errors reach the reader through `next`.
    this.stream.on('error', () => undefined);
    this.rows = this.stream[Symbol.asyncIterator]() as AsyncIterator<Row>;
    signal?.addEventListener('abort', this.onAbort, { once: true });
    if (signal?.aborted === true) this.onAbort();
    this.forgetSignal = () => signal?.removeEventListener('abort', this.onAbort);
  }

  async next(): Promise<IteratorResult<Row>> {
    try {
      if (this.ending === undefined) {
        const result = await this.rows.next();
        if (result.done !== true) return result;
      }
    } catch (error) {
      // After an abort the broken read is what was asked for.
      if (this.ending === undefined) {
        await this.return();
        throw error;
      }
    }
    return this.return();
  }

  async return(): Promise<IteratorResult<Row>> {
    this.ending ??= this.end();
    await this.ending;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private readonly forgetSignal: () => void;

  private async end(): Promise<void> {
    this.forgetSignal();
    const isOver = this.stream.readableEnded || this.stream.destroyed;
    const closed = new Promise<true>((resolve) => {
      if (this.stream.closed) resolve(true);
      else this.stream.once('close', () => resolve(true));
    });
    this.stream.destroy();
    if (!isOver) await this.cancel();
    const timeout = new AbortController();
    const isClosed = await Promise.race([
      closed,
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
