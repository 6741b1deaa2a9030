import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import type { EntryWhere } from '../port/dual-store-manager.js';
import type { StoreEntry } from '../port/store-entry.js';
import type { BulkLine } from '../services/views.js';
import { ContextFixture } from '../testing/context-fixture.js';
import { PostgresDualStoreManager } from './postgres-dual-store-manager.js';

const ENTRIES = 3000;
const RARE = 1234;

let database: TestDatabase;
let fixture: ContextFixture;
let docs: PostgresDualStoreManager;
let small: PostgresDualStoreManager;

async function* lines(): AsyncGenerator<BulkLine> {
  for (let index = 0; index < ENTRIES; index += 1) {
    const text = `Common words about things number ${index}\nMore of the common body, ${index % 7}`;
    yield {
      line: index + 1,
      entry: {
        text,
        role: index % 2 === 0 ? 'user' : 'assistant',
        metadata: { index, even: index % 2 === 0, nested: { third: index % 3 } },
        occurredAt: new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString(),
      },
    };
  }
}

beforeAll(async () => {
  database = await createTestDatabase();
  fixture = new ContextFixture(database.dataSource);
  const managerOf = async (name: string): Promise<PostgresDualStoreManager> =>
    new PostgresDualStoreManager(name, await fixture.source(name), fixture.context.stores);
  docs = await managerOf('docs');
  small = await managerOf('small');
  await fixture.context.entries.bulkInsert(fixture.user, 'docs', lines());
  await small.insert({ text: 'A small note about things' });
  // The statistics are those of the filled table from here on.
  await fixture.settle();
});

afterAll(async () => {
  await fixture.close();
  await database.close();
});

const indexesOf = (entries: readonly StoreEntry[]): unknown[] =>
  entries.map(({ metadata }) => metadata?.['index']);

describe('recent entries under conditions', () => {
  it.each<[string, EntryWhere, number[]]>([
    ['that many entries meet', { even: true }, [2998, 2996, 2994]],
    ['on a field', { role: 'assistant' }, [2999, 2997, 2995]],
    ['that one entry meets', { index: RARE }, [RARE]],
    ['on two fields', { index: RARE, even: true }, [RARE]],
    ['that contradict each other', { index: RARE, even: false }, []],
    ['on an object', { nested: { third: 2 } }, [2999, 2996, 2993]],
    ['on a rare value and an object', { index: RARE, nested: { third: 1 } }, [RARE]],
    ['that no entry meets', { index: -1 }, []],
  ])('%s are found', async (_, where, expected) => {
    expect(indexesOf(await docs.getMostRecent(3, where))).toEqual(expected);
    const oldest = await docs.getMostRecent(3, where, 'oldest');
    expect(oldest).toHaveLength(expected.length);
  });

  it('are found before they are indexed, however rare', async () => {
    await fixture.context.stores.indexer.settle();
    const dying = new ContextFixture(database.dataSource);
    await dying.context.stores.indexer.close();
    const { id } = await dying.context.stores.writer.insert(docs.source.id, {
      text: 'Not indexed yet',
      metadata: { index: -7 },
    });
    await dying.close();
    expect((await docs.getMostRecent(3, { index: -7 })).map((entry) => entry.id)).toEqual([id]);
    await docs.retryVectorWrite(id);
    expect((await docs.getMostRecent(3, { index: -7 })).map((entry) => entry.id)).toEqual([id]);
  });
});

describe('relevant entries among many', () => {
  it('are found by one rare word among common ones', async () => {
    const [best] = await docs.getMostRelevant([`common words about number ${RARE}`], 5);
    expect(best?.metadata?.['index']).toBe(RARE);
  });

  it('are found by words that all entries hold, and no more than asked for', async () => {
    expect(await docs.getMostRelevant(['common words about things'], 5)).toHaveLength(5);
  });

  it.each<[string, EntryWhere]>([
    ['a rare value', { index: RARE }],
    ['an object beside a rare value', { index: RARE, nested: { third: 1 } }],
  ])('are found under %s by words that all entries hold', async (_, where) => {
    const found = await docs.getMostRelevant(['common words'], 5, where);
    expect(indexesOf(found)).toEqual([RARE]);
  });

  it('in a small source are not crowded out by a large one', async () => {
    const { reader } = fixture.context.stores;
    const query = await reader.prepare([{ text: 'things', weight: 1 }]);
    const read = { limit: 5, where: undefined };
    const [large = [], few = []] = await reader.relevant(query, [
      { ...read, manager: docs },
      { ...read, manager: small },
    ]);
    expect(large).toHaveLength(5);
    expect(few.map(({ text }) => text)).toEqual(['A small note about things']);
  });

  it('of one source are none of another', async () => {
    const ids = await database.dataSource.query<{ id: string }[]>(
      'SELECT id FROM context_entry WHERE source_id = $1',
      [small.source.id],
    );
    for (const { id } of await docs.getMostRelevant(['small note about things'], 50)) {
      expect(ids.map((row) => row.id)).not.toContain(id);
    }
  });
});
