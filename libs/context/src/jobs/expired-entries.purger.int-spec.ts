import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { ContextFixture, stoppedClock } from '../testing/context-fixture.js';
import { ExpiredEntriesPurger } from './expired-entries.purger.js';

let database: TestDatabase;
let fixture: ContextFixture;
let purger: ExpiredEntriesPurger;
const clock = stoppedClock();

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

beforeEach(() => {
  fixture = new ContextFixture(database.dataSource, { clock });
  purger = new ExpiredEntriesPurger(fixture.context.stores.database, fixture.context.changes);
});
afterEach(async () => {
  await fixture.close();
  await database.dataSource.query('DELETE FROM context_source');
});

const daysAgo = (days: number): Date => new Date(clock.nowMs() - days * 86_400_000);
const count = async (name: string): Promise<number> =>
  (await fixture.context.entries.consistency(fixture.user, name)).total;

describe('the purge of entries', () => {
  it('deletes what is past the retention of its source, in batches, and nothing else', async () => {
    const old = Array.from({ length: 7 }, (_, index) => ({
      text: `Old ${index}`,
      occurredAt: daysAgo(10 + index),
    }));
    await fixture.source('short', [...old, { text: 'New', occurredAt: daysAgo(6) }]);
    await fixture.source('forever', old);
    await fixture.context.sources.update(fixture.user, 'short', { retentionDays: 7 });
    const deleted = [
      await purger.purgeBatch(5, clock.now()),
      await purger.purgeBatch(5, clock.now()),
      await purger.purgeBatch(5, clock.now()),
    ];
    expect(deleted).toEqual([5, 2, 0]);
    expect([await count('short'), await count('forever')]).toEqual([1, 7]);
    const orphans = await database.dataSource.query(
      'SELECT FROM entry_index i WHERE NOT EXISTS (SELECT FROM context_entry e WHERE e.id = i.entry_id)',
    );
    expect(orphans).toEqual([]);
  });

  it('deletes what is marked as expired', async () => {
    await fixture.source('docs', ['Keep', 'Expire']);
    await database.dataSource.query(
      `UPDATE context_entry SET lifecycle = 'expired' WHERE text = 'Expire'`,
    );
    expect(await purger.purgeBatch(5, clock.now())).toBe(1);
    expect(await count('docs')).toBe(1);
  });
});
