import { afterAll, beforeAll } from '@jest/globals';
import { Client } from 'pg';
import { cloneTemplate } from '../../../../test/support/database.js';
import { describeJobStore } from '../testing/job-store.contract.js';
import { describeOutages } from '../testing/outage.contract.js';
import { PostgresJobBackend } from './postgres.backend.js';

let database: Awaited<ReturnType<typeof cloneTemplate>>;

beforeAll(async () => {
  database = await cloneTemplate();
});

afterAll(async () => {
  await database.drop();
});

const createBackend = (url: string): PostgresJobBackend =>
  new PostgresJobBackend({
    url,
    poolSize: 3,
    connectTimeoutMs: 500,
    applicationName: 'jobs-test',
    onError: () => undefined,
  });

describeJobStore('PostgresJobBackend', () =>
  Promise.resolve({ createBackend: () => createBackend(database.url), close: emptyStore }),
);

describeOutages('PostgresJobBackend', () =>
  Promise.resolve({ url: database.url, createBackend, close: emptyStore }),
);

async function emptyStore(): Promise<void> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(
      'TRUNCATE bullmq.job, bullmq.scheduler, bullmq.meta, bullmq.event, bullmq.dedup CASCADE',
    );
  } finally {
    await client.end();
  }
}
