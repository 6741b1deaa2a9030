import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

/** The first row of a statement, over a connection of its own. */
export async function query(url: string, sql: string): Promise<Record<string, unknown>> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return ((await client.query(sql)).rows[0] ?? {}) as Record<string, unknown>;
  } finally {
    await client.end();
  }
}

/** Tries until `probe` succeeds, and fails as it does when that takes longer than `withinMs`. */
export async function eventually<T>(probe: () => T | Promise<T>, withinMs = 5_000): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await sleep(20);
    }
  }
}
