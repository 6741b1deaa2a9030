import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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

const createBackend = (url: string, { migrate = true } = {}): PostgresJobBackend =>
  new PostgresJobBackend({
    url,
    poolSize: 3,
    connectTimeoutMs: 500,
    migrate,
    applicationName: 'jobs-test',
    onError: () => undefined,
  });

describeOutages('PostgresJobBackend', () =>
  Promise.resolve({ url: database.url, createBackend, close: emptyStore }),
);

describeJobStore('PostgresJobBackend', () =>
  Promise.resolve({ createBackend: () => createBackend(database.url), close: emptyStore }),
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

describe('PostgresJobBackend on a database without its tables', () => {
  it('refuses to work where it may not set them up, until somebody has', async () => {
    const { url, drop } = await cloneTemplate();
    const [allowed, forbidden] = [createBackend(url), createBackend(url, { migrate: false })];
    try {
      await expect(forbidden.open()).rejects.toMatchObject({ code: 'JOB_STORE_OUTDATED' });
      expect(await allowed.openAt()).toBeGreaterThan(0);
      expect(await allowed.openAt()).toBeUndefined();
      await forbidden.open();
    } finally {
      await Promise.all([allowed.close(), forbidden.close()]);
      await drop();
    }
  });

  it('lets several processes set them up at once', async () => {
    const { url, drop } = await cloneTemplate();
    const backends = [createBackend(url), createBackend(url), createBackend(url)];
    try {
      await Promise.all(backends.map((backend) => backend.open()));
    } finally {
      await Promise.all(backends.map((backend) => backend.close()));
      await drop();
    }
  });
});
