import { BackgroundTasks } from '#libs/core';
import type { Queryable } from './database.js';

/** Fewer rows change neither what the statistics say nor how fast a search is. */
const WORTH_ROWS = 1000;

/**
 * Brings the search index into shape after a bulk write: merges what the full-text index has put
 * off, which every search would have to read through, and has PostgreSQL count anew how common
 * terms are. Autovacuum does both as well, but only minutes later.
 */
export class IndexMaintenance {
  private readonly tasks: BackgroundTasks;
  private rowsSince = 0;
  private isRunning = false;

  constructor(
    private readonly database: Queryable,
    private readonly onDone: () => void,
    onFailure: (error: unknown) => void,
  ) {
    this.tasks = new BackgroundTasks(onFailure);
  }

  /** Notes that so many rows were written; returns at once. */
  written(rows: number): void {
    this.rowsSince += rows;
    if (this.isRunning || this.rowsSince < WORTH_ROWS) return;
    this.isRunning = true;
    this.tasks.run(() => this.run().finally(() => (this.isRunning = false)));
  }

  /** Waits for what is under way. */
  settle(): Promise<void> {
    return this.tasks.drain();
  }

  private async run(): Promise<void> {
    while (this.rowsSince >= WORTH_ROWS) {
      this.rowsSince = 0;
      await this.database.query(`SELECT gin_clean_pending_list('entry_index_terms')`);
      await this.database.query('ANALYZE entry_index, context_entry');
      this.onDone();
    }
  }
}
