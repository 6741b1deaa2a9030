import { connectionOf } from '../connection/connection.js';
import type { ChangeSession } from './change-session.js';

const CONNECT_TIMEOUT_MS = 10_000;

/** Connects with `pg` as a session for changes. */
export async function openPgSession(url: string): Promise<ChangeSession> {
  const { Client } = (await import('pg')).default;
  const client = new Client({
    connectionString: url,
    application_name: 'pantheon-index-advisor',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  // A connection that breaks between queries must not end the process: the next query fails.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    let closing: Promise<void> | undefined;
    return {
      ...connectionOf(client),
      pid: rows[0]?.pid ?? 0,
      close: () => (closing ??= client.end().catch(() => undefined)),
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}
