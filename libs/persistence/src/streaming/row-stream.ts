import { setTimeout as sleep } from 'node:timers/promises';
import Cursor from 'pg-cursor';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { connectedPoolOf } from '../data-source.js';
import type { PlatformPool } from '../pool/platform-pool.js';

/** A connection of one's own, to be given back; with an error it is closed instead. */
export interface StreamConnection {
  readonly client: PoolClient;
  release(this: void, error?: Error): void;
}

export interface RowStreamOptions {
  /** Rows taken from the cursor at once; that many are in memory. Default 500. */
  readonly batchRows: number;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_BATCH_ROWS = 500;
/** An orderly end of a cursor takes no longer; after this its connection is closed. */
const CLOSE_TIMEOUT_MS = 2000;

/**
 * The rows of a query, read from a database cursor as fast as they are taken, so that any number of
 * them is in bounded memory. The query is cancelled on the server and its connection given back when
 * the reader stops or the signal aborts; then there are no more rows.
 */
export async function streamRows<Row>(
  dataSource: DataSource,
  sql: string,
  values: readonly unknown[] = [],
  options: Partial<RowStreamOptions> & { readonly connection?: StreamConnection } = {},
): Promise<AsyncIterableIterator<Row>> {
  const pool = connectedPoolOf(dataSource);
  const { batchRows = DEFAULT_BATCH_ROWS, signal, connection = await connectionOf(pool) } = options;
  const rows = new RowStream<Row>(pool, connection, sql, values, { batchRows, signal });
  if (signal?.aborted === true) await rows.return();
  return rows;
}

async function connectionOf(pool: PlatformPool): Promise<StreamConnection> {
  const client = await pool.connect();
  return { client, release: (error) => client.release(error) };
}

const BROKEN = new Error('The cursor did not close.');

async function pause(ms: number): Promise<undefined> {
  await sleep(ms, undefined, { ref: false });
}

/** Open until `ending` is set; what is read after that counts as nothing. */
class RowStream<Row> implements AsyncIterableIterator<Row> {
  private readonly cursor: Cursor<Row>;
  private batch: readonly Row[] = [];
  private position = 0;
  private isReading = false;
  private hasFailed = false;
  private reading: Promise<unknown> = Promise.resolve();
  private ending: Promise<void> | undefined;
  private readonly onAbort = (): void => {
    this.ending ??= this.end();
  };

  constructor(
    private readonly pool: PlatformPool,
    private readonly connection: StreamConnection,
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
      const reading = this.cursor.read(this.options.batchRows);
      this.reading = reading.then(
        () => undefined,
        () => undefined,
      );
      this.batch = await reading;
    } catch (error) {
      this.hasFailed = true;
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
    // A cursor that is closed while it is read never ends the reading. A cancellation that comes before
    // the server has begun with the query is for nothing, so it is sent again.
    for (let waitMs = 10; this.isReading && waitMs < CLOSE_TIMEOUT_MS; waitMs *= 2) {
      await this.cancel();
      await Promise.race([this.reading, pause(waitMs)]);
    }
    // A connection that is gone never says that the cursor is closed.
    const isClosed =
      !this.isReading &&
      (await Promise.race([
        this.closeCursor().then(
          () => true,
          () => false,
        ),
        pause(CLOSE_TIMEOUT_MS),
      ]));
    this.connection.release(isClosed === true ? undefined : BROKEN);
  }

  /** After an error there is no portal, and a cursor would wait for an answer that has been. */
  private async closeCursor(): Promise<void> {
    if (this.hasFailed) await this.connection.client.query('SELECT 1');
    else await this.cursor.close();
  }

  /** The connection is still ours, so nobody else's query can be hit. */
  private async cancel(): Promise<void> {
    const { processID } = this.connection.client as unknown as { readonly processID: number };
    await this.pool.query('SELECT pg_cancel_backend($1)', [processID]).catch(() => undefined);
  }
}
