import type { DataSource } from 'typeorm';

/** Waits until a statement on the database of a test waits for a lock. */
export async function lockWait(dataSource: DataSource): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  for (;;) {
    const waiting = await dataSource.query<unknown[]>(
      `SELECT 1 FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (waiting.length > 0) return;
    if (Date.now() > deadlineMs) throw new Error('No statement waits for a lock.');
  }
}
