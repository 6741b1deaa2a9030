import { isError, PantheonError } from '#libs/core';
import type { ContextDatabase, Queryable } from '../store/database.js';
import type { EntryRecord } from '../store/entry-record.js';
import type { EntryWriter, WriteCounts } from '../store/entry-writer.js';
import { newEntrySchema } from './input.schemas.js';
import type { BulkLine, BulkOptions, BulkReport, RejectedLine } from './views.js';

export interface BulkWriterOptions {
  readonly batchRows: number;
  readonly parallelBatches: number;
  readonly maxReportedFaults: number;
}

/** Larger batches gain nothing, and several of them are in memory. */
const MAX_BATCH_BYTES = 4_194_304;

interface NumberedRecord {
  readonly line: number;
  readonly record: EntryRecord;
}

/**
 * Writes any number of entries in bounded memory: batches of rows in one statement each, a few of
 * them under way at once, while the next are being read.
 */
export class BulkWriter {
  constructor(
    private readonly database: ContextDatabase,
    private readonly writer: EntryWriter,
    private readonly options: BulkWriterOptions,
    /** Told of each batch that is stored for good while others follow. */
    private readonly onBatch: (sourceId: string) => void,
  ) {}

  /** @throws SourceNotFoundError when the source is deleted meanwhile, and the signal's reason */
  async write(
    sourceId: string,
    lines: AsyncIterable<BulkLine>,
    options: BulkOptions = {},
  ): Promise<BulkReport> {
    const report = new ReportBuilder(this.options.maxReportedFaults);
    if (options.onError !== 'abort') {
      await this.writeBatches(this.database, sourceId, lines, options, report);
      return report.build(false);
    }
    try {
      return await this.database.longTransaction(async (transaction) => {
        await this.writeBatches(transaction, sourceId, lines, options, report);
        return report.build(false);
      });
    } catch (error) {
      if (error instanceof Aborted) return report.build(true);
      throw error;
    }
  }

  private async writeBatches(
    database: Queryable,
    sourceId: string,
    lines: AsyncIterable<BulkLine>,
    { onError, signal, onProgress }: BulkOptions,
    report: ReportBuilder,
  ): Promise<void> {
    const isAbort = onError === 'abort';
    const reject = (rejected: RejectedLine): void => {
      report.reject(rejected);
      if (isAbort) throw new Aborted();
    };
    // One connection takes one statement at a time.
    const flight = new Flight(isAbort ? 1 : this.options.parallelBatches);
    const send = async (batch: Batch): Promise<void> => {
      if (batch.size === 0) return;
      await flight.start(batch, async () => {
        await this.writeBatch(database, sourceId, batch.records, report, reject);
        if (!isAbort) this.onBatch(sourceId);
        onProgress?.(report.lines);
      });
    };
    let batch = new Batch();
    try {
      for await (const line of lines) {
        signal?.throwIfAborted();
        report.lines += 1;
        const record = this.check(line, reject);
        if (record === undefined) continue;
        const key = record.externalKey;
        // The same key again: later lines win, so what came before has to be stored first.
        if (key !== null && batch.keys.has(key)) {
          await send(batch);
          batch = new Batch();
        }
        if (key !== null) await flight.landed(key);
        batch.add({ line: line.line, record });
        if (batch.size >= this.options.batchRows || batch.bytes >= MAX_BATCH_BYTES) {
          await send(batch);
          batch = new Batch();
        }
      }
      signal?.throwIfAborted();
      await send(batch);
    } finally {
      await flight.allLanded();
    }
    flight.rethrow();
  }

  private check(line: BulkLine, reject: (rejected: RejectedLine) => void): EntryRecord | undefined {
    if ('fault' in line) {
      reject({ line: line.line, ...line.fault });
      return undefined;
    }
    const { success, data, error } = newEntrySchema.safeParse(line.entry);
    if (!success) {
      const [issue] = error.issues;
      const path =
        issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
      reject({
        line: line.line,
        code: 'VALIDATION_FAILED',
        detail: `${path}${issue?.message ?? 'is no entry'}`,
      });
      return undefined;
    }
    try {
      return this.writer.prepare(data);
    } catch (failure) {
      if (!(failure instanceof PantheonError)) throw failure;
      reject({ line: line.line, code: failure.code, detail: failure.message });
      return undefined;
    }
  }

  /** Halves a batch that PostgreSQL refuses for its content, until the line is found. */
  private async writeBatch(
    database: Queryable,
    sourceId: string,
    records: readonly NumberedRecord[],
    report: ReportBuilder,
    reject: (rejected: RejectedLine) => void,
  ): Promise<void> {
    try {
      const batch = records.map(({ record }) => record);
      report.add(await this.writer.insertMany(database, sourceId, batch));
    } catch (error) {
      const [first] = records;
      // Inside a transaction nothing can be tried again.
      if (!isContentError(error) || first === undefined || database !== this.database) throw error;
      if (records.length === 1) {
        reject({ line: first.line, code: 'ENTRY_REJECTED', detail: 'PostgreSQL cannot store it.' });
        return;
      }
      const half = Math.ceil(records.length / 2);
      await this.writeBatch(database, sourceId, records.slice(0, half), report, reject);
      await this.writeBatch(database, sourceId, records.slice(half), report, reject);
    }
  }
}

/** Ends a bulk write that is all or nothing; never leaves this file. */
class Aborted extends Error {}

/** SQLSTATE classes "data exception" and "program limit exceeded". */
function isContentError(error: unknown): boolean {
  return isError(error) && 'code' in error && /^(22|54)/.test(String(error.code));
}

class Batch {
  readonly records: NumberedRecord[] = [];
  readonly keys = new Set<string>();
  bytes = 0;

  get size(): number {
    return this.records.length;
  }

  add(numbered: NumberedRecord): void {
    const { text, metadata, externalKey } = numbered.record;
    this.records.push(numbered);
    this.bytes += text.length + metadata.length;
    if (externalKey !== null) this.keys.add(externalKey);
  }
}

/** The batches under way. The first failure is kept, and thrown when the next one would start. */
class Flight {
  private readonly running = new Map<Batch, Promise<void>>();
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly seats: number) {}

  async start(batch: Batch, write: () => Promise<void>): Promise<void> {
    while (this.running.size >= this.seats) await Promise.race(this.running.values());
    this.rethrow();
    const landing = write()
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => this.running.delete(batch));
    this.running.set(batch, landing);
  }

  /** Waits until no batch with this external key is under way. */
  async landed(key: string): Promise<void> {
    for (const [batch, landing] of this.running) if (batch.keys.has(key)) await landing;
  }

  async allLanded(): Promise<void> {
    await Promise.all(this.running.values());
  }

  rethrow(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }
}

class ReportBuilder {
  lines = 0;
  private counts: WriteCounts = { inserted: 0, updated: 0, unchanged: 0 };
  private readonly rejected: RejectedLine[] = [];
  private rejectedCount = 0;

  constructor(private readonly maxReported: number) {}

  add({ inserted, updated, unchanged }: WriteCounts): void {
    this.counts = {
      inserted: this.counts.inserted + inserted,
      updated: this.counts.updated + updated,
      unchanged: this.counts.unchanged + unchanged,
    };
  }

  reject(rejected: RejectedLine): void {
    this.rejectedCount += 1;
    if (this.rejected.length < this.maxReported) this.rejected.push(rejected);
  }

  build(aborted: boolean): BulkReport {
    const counts = aborted ? { inserted: 0, updated: 0, unchanged: 0 } : this.counts;
    const rejected = [...this.rejected].sort((a, b) => a.line - b.line);
    return { ...counts, rejected, rejectedCount: this.rejectedCount, aborted };
  }
}
