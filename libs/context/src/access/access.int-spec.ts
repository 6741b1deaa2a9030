import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { ContextFixture, stoppedClock } from '../testing/context-fixture.js';
import { AccessPartitions } from './access-partitions.js';
import { AccessRecorder } from './access-recorder.js';

let database: TestDatabase;
let fixture: ContextFixture;
let clock: ReturnType<typeof stoppedClock>;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

beforeEach(() => {
  clock = stoppedClock();
  fixture = new ContextFixture(database.dataSource, { clock });
});
afterEach(async () => {
  await fixture.close();
  for (const name of await partitions()) await database.dataSource.query(`DROP TABLE ${name}`);
});

async function partitions(): Promise<string[]> {
  const rows = await database.dataSource.query<{ name: string }[]>(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits
     WHERE inhparent = 'access_event'::regclass ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

const events = () =>
  database.dataSource.query<{ accesses: number }[]>('SELECT * FROM access_event');

function recorder(options: object = {}, failures: unknown[] = []): AccessRecorder {
  return new AccessRecorder(
    fixture.context.stores.database,
    fixture.context.partitions,
    clock,
    { flushMs: 60_000, bufferRows: 5, ...options },
    (error) => failures.push(error),
  );
}

describe('partitions of access events', () => {
  it('are made for today and the days ahead, also by several processes at once', async () => {
    const processes = Array.from(
      { length: 5 },
      () => new AccessPartitions(fixture.context.stores.database),
    );
    await Promise.all(processes.map((one) => one.ensure(clock.now())));
    expect(await partitions()).toEqual([
      'access_event_20260501',
      'access_event_20260502',
      'access_event_20260503',
      'access_event_20260504',
    ]);
  });

  it('are made again as days go by, and the old ones dropped', async () => {
    const { partitions: own } = fixture.context;
    await own.ensure(clock.now());
    clock.advance(5 * 86_400_000);
    await own.ensure(clock.now());
    expect(await own.dropBefore(clock.now())).toEqual([
      'access_event_20260501',
      'access_event_20260502',
      'access_event_20260503',
      'access_event_20260504',
    ]);
    expect((await partitions())[0]).toBe('access_event_20260506');
  });
});

describe('the recorder of accesses', () => {
  it('appends events and counts them at their entries', async () => {
    await fixture.source('docs', ['One', 'Two']);
    const { items } = await fixture.context.entries.page(fixture.user, 'docs', { limit: 2 });
    const [one = '', two = ''] = items.map(({ id }) => id);
    const noted = recorder();
    noted.record(fixture.user.userId, [one, two]);
    clock.advance(1);
    noted.record(fixture.user.userId, [one]);
    expect(await partitions()).toEqual([]);
    await noted.flush();
    expect(new Set((await events()).map(({ accesses }) => accesses))).toEqual(new Set([1, 2]));
    const entry = await fixture.context.entries.get(fixture.user, 'docs', one);
    expect(entry).toMatchObject({ accessCount: 2, lastAccessedAt: clock.now() });
  });

  it('minds entries that are deleted meanwhile as little as it should', async () => {
    const noted = recorder();
    noted.record(newId(), [newId()]);
    await noted.close();
    await noted.close();
    expect(await events()).toHaveLength(1);
  });

  it('drops and counts what does not fit', async () => {
    const noted = recorder();
    noted.record(newId(), [newId(), newId(), newId()]);
    noted.record(newId(), [newId(), newId(), newId()]);
    expect(noted.dropped).toBe(1);
    await noted.flush();
    expect(await events()).toHaveLength(5);
  });

  it('reports a failure, and goes on', async () => {
    const failures: unknown[] = [];
    const noted = recorder({}, failures);
    await database.dataSource.query('ALTER TABLE access_event RENAME TO elsewhere');
    noted.record(newId(), [newId()]);
    await noted.flush();
    await database.dataSource.query('ALTER TABLE elsewhere RENAME TO access_event');
    expect(failures).toHaveLength(1);
    expect(noted.dropped).toBe(1);
    noted.record(newId(), [newId()]);
    await noted.flush();
    expect(await events()).toHaveLength(1);
  });
});
