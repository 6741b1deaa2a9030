import { setTimeout as sleep } from 'node:timers/promises';
import { BackgroundTasks, messageOf } from '#libs/core';
import { runBeyondDeadline } from '#libs/logging';
import type { EmbeddingProvider } from '../ranking/embedding-provider.js';
import type { TextIndexer } from '../ranking/text-indexer.js';
import type { ContextDatabase } from './database.js';
import {
  claimOrders,
  type IndexOrder,
  type IndexResult,
  type OrderChoice,
  postponeOrders,
  writeIndex,
} from './index.queries.js';

export interface IndexerOptions {
  readonly batchRows: number;
  readonly maxAttempts: number;
  readonly leaseMs: number;
}

/** What became of some orders. */
export interface IndexOutcome {
  readonly written: readonly string[];
  readonly failed: readonly string[];
}

/** A burst of writes is indexed together rather than one by one. */
const GATHER_MS = 5;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 300_000;

/**
 * Writes the search index that the outbox asks for, in micro-batches. `nudge` after a commit
 * makes the index follow within milliseconds; the sweep, run as a job, picks up what a crash or a
 * failure has left. Any number of processes may do this at once.
 */
export class EntryIndexer {
  private readonly tasks: BackgroundTasks;
  private running: Promise<void> | undefined;
  private isNudged = false;
  private isClosed = false;

  constructor(
    private readonly database: ContextDatabase,
    private readonly options: IndexerOptions,
    private readonly embeddings: EmbeddingProvider | undefined,
    private readonly texts: TextIndexer,
    /** Told of the sources whose index was written: searches find more in them now. */
    private readonly onIndexed: (sourceIds: readonly string[]) => Promise<void>,
    onFailure: (error: unknown) => void,
  ) {
    this.tasks = new BackgroundTasks(onFailure);
  }

  /** Has the due orders written soon, without waiting for it. */
  nudge(): void {
    this.isNudged = true;
    if (this.running !== undefined || this.isClosed) return;
    this.tasks.run(() => {
      this.running = runBeyondDeadline(() => this.followNudges()).finally(() => {
        this.running = undefined;
        if (this.isNudged) this.nudge();
      });
      return this.running;
    });
  }

  /** Writes all due orders. Returns how many were written. */
  async sweep(signal?: AbortSignal): Promise<number> {
    let written = 0;
    for (;;) {
      if (this.isClosed || signal?.aborted === true) return written;
      const { outcome, taken } = await this.indexBatch({ kind: 'due' });
      written += outcome.written.length;
      if (taken < this.options.batchRows) return written;
    }
  }

  /** Writes the open orders of some entries, due or not. */
  async indexEntries(ids: readonly string[]): Promise<IndexOutcome> {
    const { outcome } = await this.indexBatch({ kind: 'entries', ids });
    return outcome;
  }

  /** Writes the open orders of a source, due or not. */
  async indexSource(sourceId: string): Promise<{ written: number; failed: number }> {
    const total = { written: 0, failed: 0 };
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const { outcome, last } = await this.indexBatch({ kind: 'source', sourceId, after });
      total.written += outcome.written.length;
      total.failed += outcome.failed.length;
      if (last === undefined || this.isClosed) return total;
      after = last;
    }
  }

  /** Waits for what is under way and takes no more. May be called twice. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.tasks.drain();
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    await this.tasks.drain();
  }

  private async followNudges(): Promise<void> {
    while (this.isNudged && !this.isClosed) {
      await sleep(GATHER_MS);
      this.isNudged = false;
      await this.sweep();
    }
  }

  private async indexBatch(choice: OrderChoice): Promise<{
    readonly outcome: IndexOutcome;
    readonly taken: number;
    readonly last: string | undefined;
  }> {
    const orders = await claimOrders(this.database, choice, {
      limit: this.options.batchRows,
      leaseMs: this.options.leaseMs,
    });
    const outcome = orders.length === 0 ? NOTHING : await this.write(orders);
    return { outcome, taken: orders.length, last: orders.at(-1)?.entryId };
  }

  private async write(orders: readonly IndexOrder[]): Promise<IndexOutcome> {
    const { vectors, failure } = await this.embed(orders);
    try {
      const indexes = await this.texts.index(
        orders.map(({ text }) => text),
        true,
      );
      const results = indexes.flatMap((index, at): IndexResult[] => {
        const order = orders[at];
        return order === undefined ? [] : [{ order, ...index, dense: vectors[at] ?? null }];
      });
      const written = await writeIndex(this.database, results, failure === undefined);
      await this.tell(orders, written);
      if (failure === undefined) return { written, failed: [] };
      // The words can be searched; the vectors are tried again later.
      await this.postpone(orders, failure);
    } catch (error) {
      // One entry that cannot be indexed must not keep the others from it.
      if (orders.length > 1) return this.writeOneByOne(orders);
      await this.postpone(orders, error);
    }
    return { written: [], failed: orders.map(({ entryId }) => entryId) };
  }

  private async tell(orders: readonly IndexOrder[], written: readonly string[]): Promise<void> {
    const ids = new Set(written);
    const sources = orders.filter(({ entryId }) => ids.has(entryId)).map((order) => order.sourceId);
    if (sources.length > 0) await this.onIndexed([...new Set(sources)]);
  }

  private async embed(
    orders: readonly IndexOrder[],
  ): Promise<{ readonly vectors: readonly Uint8Array[]; readonly failure?: unknown }> {
    if (this.embeddings === undefined) return { vectors: [] };
    try {
      return { vectors: await this.embeddings.embed(orders.map(({ text }) => text)) };
    } catch (failure) {
      return { vectors: [], failure };
    }
  }

  private async writeOneByOne(orders: readonly IndexOrder[]): Promise<IndexOutcome> {
    const written: string[] = [];
    const failed: string[] = [];
    for (const order of orders) {
      const outcome = await this.write([order]);
      written.push(...outcome.written);
      failed.push(...outcome.failed);
    }
    return { written, failed };
  }

  private async postpone(orders: readonly IndexOrder[], error: unknown): Promise<void> {
    const attempts = Math.max(...orders.map((order) => order.attempts));
    await postponeOrders(this.database, orders, {
      error: messageOf(error),
      maxAttempts: this.options.maxAttempts,
      delayMs: Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), LONGEST_RETRY_MS),
    });
  }
}

const NOTHING: IndexOutcome = { written: [], failed: [] };
