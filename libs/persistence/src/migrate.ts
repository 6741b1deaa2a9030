import type { DataSource } from 'typeorm';

/** Any two processes that migrate the same database meet on this advisory lock. */
const MIGRATION_LOCK_KEY = 7_262_684_001;

/**
 * Runs pending migrations, one process at a time: others wait and then find nothing to do.
 * @returns the names of the migrations that ran
 */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  if (!(await dataSource.showMigrations())) return [];
  const lockHolder = dataSource.createQueryRunner();
  try {
    await lockHolder.query('SET statement_timeout = 0');
    await lockHolder.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK_KEY]);
    try {
      const ran = await dataSource.runMigrations();
      return ran.map(({ name }) => name);
    } finally {
      await lockHolder.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK_KEY]);
      await lockHolder.query('RESET statement_timeout');
    }
  } finally {
    await lockHolder.release();
  }
}
