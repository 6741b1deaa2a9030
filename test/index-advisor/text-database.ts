import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** An empty database that sorts text as a language does, not by bytes. */
export interface TextDatabase {
  readonly client: Client;
  close(): Promise<void>;
}

/** Creates it on the server of the tests. */
export async function createTextDatabase(): Promise<TextDatabase> {
  const url = new URL(process.env['PANTHEON_TEST_POSTGRES_URL'] ?? '');
  const name = `test_${randomBytes(8).toString('hex')}`;
  url.pathname = '/postgres';
  await onServer(
    url,
    `CREATE DATABASE ${name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'`,
  );
  const own = new URL(url);
  own.pathname = `/${name}`;
  const client = new Client({ connectionString: own.href });
  await client.connect();
  return {
    client,
    async close() {
      await client.end();
      await onServer(url, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function onServer(url: URL, sql: string): Promise<void> {
  const client = new Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
