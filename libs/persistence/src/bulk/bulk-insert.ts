import { setImmediate as breathe } from 'node:timers/promises';
import { isError, messageOf } from '#libs/core';
import type { PoolClient } from 'pg';
import type { DataSource, EntityTarget, ObjectLiteral } from 'typeorm';
import { connectedPoolOf } from '../data-source.js';
import { copyWriter, type RowWriter, unnestWriter, type Written } from './batch-writers.js';
import type { BulkInsertOptions, BulkInsertReport, RejectedRow } from './bulk-insert.types.js';
import { ColumnPlan, type NumberedRow } from './column-plan.js';
import { writeClauses } from './write-clauses.js';

/** From here on COPY is faster than one statement a batch. */
const COPY_FROM_ROWS = 2_000;

/**
 * Stores any number of rows of an entity, of which only a few batches are in memory at once. Values
 * are converted as TypeORM's insert converts them, with transformers, defaults of columns and
 * embedded objects; subscribers and cascades do not run.
 *
 * @throws what PostgreSQL says, with `abort`, after nothing was stored
 */
export async function bulkInsert<Row extends ObjectLiteral>(
  dataSource: DataSource,
  entity: EntityTarget<Row>,
  rows: Iterable<Partial<Row>> | AsyncIterable<Partial<Row>>,
  options: BulkInsertOptions<Row> = {},
): Promise<BulkInsertReport<Row>> {
  const plan = await ColumnPlan.of(dataSource, dataSource.getMetadata(entity));
  const clauses = writeClauses(plan, options.conflict ?? 'fail', options.returning ?? []);
  const input = new Batches(rows, options.batchRows ?? 1_000);
  const method = await choose(options.method ?? 'auto', input);
  const newWriter = (): RowWriter =>
    method === 'copy' ? copyWriter(plan, clauses) : unnestWriter(plan, clauses);
  const insert = new BulkInsert<Row>(dataSource, newWriter, options);
  await (options.onError === 'report' ? insert.writeEach(input) : insert.writeAll(input));
  return { ...insert.report(), method };
}

async function choose(
  method: 'auto' | 'unnest' | 'copy',
  input: Batches,
): Promise<'unnest' | 'copy'> {
  if (method !== 'auto') return method;
  return (await input.hasAtLeast(COPY_FROM_ROWS)) ? 'copy' : 'unnest';
}

/** The input in batches, with a look ahead at its size. */
class Batches {
  private readonly iterator: Iterator<object> | AsyncIterator<object>;
  private readonly ahead: NumberedRow[] = [];
  private index = 0;

  constructor(
    rows: Iterable<object> | AsyncIterable<object>,
    private readonly batchRows: number,
  ) {
    this.iterator =
      Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
  }

  async hasAtLeast(count: number): Promise<boolean> {
    while (this.ahead.length < count) {
      const row = await this.read();
      if (row === undefined) return false;
      this.ahead.push(row);
    }
    return true;
  }

  /** Empty at the end. */
  async next(): Promise<NumberedRow[]> {
    const batch = this.ahead.splice(0, this.batchRows);
    while (batch.length < this.batchRows) {
      const row = await this.read();
      if (row === undefined) break;
      batch.push(row);
    }
    return batch;
  }

  async close(): Promise<void> {
    await this.iterator.return?.();
  }

  private async read(): Promise<NumberedRow | undefined> {
    // Awaiting each row of an array would take longer than to write it.
    const given = this.iterator.next();
    const { done, value } = 'then' in given ? await given : given;
    if (done === true) return undefined;
    return { index: this.index++, row: value };
  }
}

class BulkInsert<Row extends ObjectLiteral> {
  private written = 0;
  private rejectedCount = 0;
  private readonly rejected: RejectedRow[] = [];
  private readonly rows: Partial<Row>[] = [];

  constructor(
    private readonly dataSource: DataSource,
    private readonly newWriter: () => RowWriter,
    private readonly options: BulkInsertOptions<Row>,
  ) {}

  report(): Omit<BulkInsertReport<Row>, 'method'> {
    const { written, rejectedCount, rejected, rows } = this;
    return { written, rejectedCount, rejected, rows };
  }

  /** All or nothing. */
  async writeAll(input: Batches): Promise<void> {
    try {
      await this.inTransaction(async (client, writer) => {
        const all: Written[] = [];
        for (let batch = await input.next(); batch.length > 0; batch = await input.next()) {
          this.options.signal?.throwIfAborted();
          all.push(await writer.write(client, batch));
          await breathe();
        }
        return all;
      });
    } finally {
      await input.close();
    }
  }

  /** Every batch by itself, a few at once. */
  async writeEach(input: Batches): Promise<void> {
    const work = async (): Promise<void> => {
      for (let batch = await input.next(); batch.length > 0; batch = await input.next()) {
        this.options.signal?.throwIfAborted();
        await this.writeOrHalve(batch);
      }
    };
    const workers = Array.from({ length: this.options.concurrency ?? 2 }, work);
    const ends = await Promise.allSettled(workers);
    await input.close();
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** A batch that fails is halved until the rows that are to blame are alone. */
  private async writeOrHalve(batch: readonly NumberedRow[]): Promise<void> {
    try {
      await this.inTransaction(async (client, writer) => [await writer.write(client, batch)]);
    } catch (error) {
      const code = sqlStateOf(error);
      if (code === undefined) throw error;
      if (batch.length > 1) {
        const half = batch.length >> 1;
        await this.writeOrHalve(batch.slice(0, half));
        await this.writeOrHalve(batch.slice(half));
        return;
      }
      this.rejectedCount += 1;
      if (this.rejected.length >= (this.options.maxReported ?? 1_000)) return;
      this.rejected.push({
        index: (batch[0] as NumberedRow).index,
        code,
        detail: messageOf(error),
      });
    }
  }

  /** What was written counts when it is committed. */
  private async inTransaction(
    work: (client: PoolClient, writer: RowWriter) => Promise<Written[]>,
  ): Promise<void> {
    const client = await connectedPoolOf(this.dataSource).connect();
    const writer = this.newWriter();
    try {
      await client.query('BEGIN');
      const all = await work(client, writer);
      all.push(await writer.finish(client));
      await client.query('COMMIT');
      client.release();
      for (const { count, rows } of all) {
        this.written += count;
        for (const row of rows) this.rows.push(row);
      }
    } catch (error) {
      await writer.abandon();
      const isUndone = await client.query('ROLLBACK').then(
        () => true,
        () => false,
      );
      client.release(!isUndone);
      throw error;
    }
  }
}

/** Errors that a row is to blame for: bad data, and violated constraints. */
function sqlStateOf(error: unknown): string | undefined {
  if (!isError(error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^(22|23|21)/.test(error.code) ? error.code : undefined;
}
