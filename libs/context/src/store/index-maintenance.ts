import { BackgroundTasks } from '#libs/core';
import type { TermStatistics } from '../ranking/term-statistics.js';
import type { Queryable } from './database.js';

/** Fewer rows do not make a search slower. */
const WORTH_MERGING_ROWS = 1000;
/** Counting reads a sample of the whole index, which a smaller change is not worth. */
const WORTH_COUNTING_SHARE = 0.1;

/**
 * Brings the search index into shape after a bulk write: merges what the full-text index has put
 * off, which every search would have to read through, and has PostgreSQL count anew how common
 * terms are. Autovacuum does both as well, but only minutes later.
 */
export class IndexMaintenance {
  private readonly tasks: BackgroundTasks;
  private unmergedRows = 0;
  private uncountedRows = 0;
  private isRunning = false;

  constructor(
    private readonly database: Queryable,
    private readonly statistics: {
      current(): Promise<TermStatistics>;
      invalidate(): void;
    },
    onFailure: (error: unknown) => void,
  ) {
    this.tasks = new BackgroundTasks(onFailure);
  }

  /** Notes that so many rows were written; returns at once. */
  written(rows: number): void {
    this.unmergedRows += rows;
    this.uncountedRows += rows;
    if (this.isRunning || this.unmergedRows < WORTH_MERGING_ROWS) return;
    this.isRunning = true;
    this.tasks.run(() => this.run().finally(() => (this.isRunning = false)));
  }

  /** Waits for what is under way. */
  settle(): Promise<void> {
    return this.tasks.drain();
  }

  private async run(): Promise<void> {
    while (this.unmergedRows >= WORTH_MERGING_ROWS) {
      this.unmergedRows = 0;
      await this.database.query(`SELECT gin_clean_pending_list('entry_index_terms')`);
      const { entries } = await this.statistics.current();
      if (this.uncountedRows < entries * WORTH_COUNTING_SHARE) continue;
      this.uncountedRows = 0;
      await this.database.query('ANALYZE entry_index, context_entry');
      this.statistics.invalidate();
    }
  }
}
