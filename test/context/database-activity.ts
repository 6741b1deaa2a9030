import type { TestApi } from '../support/app.js';

/**
 * Connections of the app's database that are inside a statement or a transaction about entries; what the
 * app does by itself now and then, such as a flush, is none of them.
 */
export async function busyConnections(api: TestApi): Promise<readonly string[]> {
  const rows = await api.platform.dataSource.query<{ query: string }[]>(
    `SELECT query FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend'
       AND pid <> pg_backend_pid() AND (state <> 'idle' OR xact_start IS NOT NULL)
       AND query LIKE '%context_entry%'`,
  );
  return rows.map(({ query }) => query);
}

/** Resolves when `condition` holds. @throws when it does not within `timeoutMs` */
export async function until(condition: () => Promise<boolean>, timeoutMs = 5000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${condition.toString()} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
