import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { EmbeddingProvider } from '../ranking/embedding-provider.js';
import { TextIndexer } from '../ranking/text-indexer.js';
import { ContextFixture, SwitchableEmbeddings } from '../testing/context-fixture.js';
import { EntryIndexer } from './entry-indexer.js';
import { claimOrders } from './index.queries.js';

let database: TestDatabase;
let fixture: ContextFixture;
let sourceId: string;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

beforeEach(async () => {
  fixture = new ContextFixture(database.dataSource);
  sourceId = (await fixture.source('docs')).id;
});
afterEach(async () => {
  await fixture.close();
  await database.dataSource.query('DELETE FROM context_source');
});

/** An indexer of one more process. */
function indexer(embeddings?: EmbeddingProvider, options: object = {}): EntryIndexer {
  return new EntryIndexer(
    fixture.context.stores.database,
    { batchRows: 7, maxAttempts: 3, leaseMs: 30_000, ...options },
    embeddings,
    new TextIndexer(undefined),
    (sourceIds) => fixture.context.changes.entries(sourceIds),
    (error) => {
      throw error;
    },
  );
}

/** Stores entries as a process does that dies before it can index them. */
async function storeAndDie(count: number): Promise<void> {
  const dying = new ContextFixture(database.dataSource);
  await dying.context.stores.indexer.close();
  for (let index = 0; index < count; index += 1) {
    await dying.context.stores.writer.insert(sourceId, { text: `Entry ${index}` });
  }
  await dying.close();
}

const states = async () => {
  const { total, written, pending, failed } = await fixture.context.entries.consistency(
    fixture.user,
    'docs',
  );
  return { total, written, pending, failed };
};

const makeDue = () =>
  database.dataSource.query(`UPDATE entry_index SET next_attempt_at = now() - interval '1 s'`);

describe('the indexer', () => {
  it('acknowledges a write before its index, which follows within milliseconds', async () => {
    const embeddings = new SwitchableEmbeddings();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const slow = new ContextFixture(database.dataSource, {
      embeddings: Object.assign(embeddings, {
        embed: (texts: readonly string[]) => gate.then(() => texts.map(() => Uint8Array.of(1))),
      }),
    });
    await slow.context.stores.writer.insert(sourceId, { text: 'Acknowledged' });
    expect(await states()).toMatchObject({ total: 1, written: 0, pending: 1 });
    release();
    await slow.settle();
    expect(await states()).toMatchObject({ written: 1, pending: 0 });
    await slow.close();
  });

  it('repairs what a crash between commit and index has left', async () => {
    await storeAndDie(20);
    expect(await states()).toEqual({ total: 20, written: 0, pending: 20, failed: 0 });
    expect(await indexer().sweep()).toBe(20);
    expect(await states()).toEqual({ total: 20, written: 20, pending: 0, failed: 0 });
    expect(await indexer().sweep()).toBe(0);
  });

  it('shares the work among processes, and does none of it twice', async () => {
    await storeAndDie(100);
    const processes = Array.from({ length: 4 }, () => indexer());
    const written = await Promise.all(processes.map((one) => one.sweep()));
    expect(written.reduce((sum, one) => sum + one, 0)).toBe(100);
    const attempts = await database.dataSource.query<{ attempts: number }[]>(
      'SELECT DISTINCT attempts FROM entry_index',
    );
    expect(attempts).toEqual([{ attempts: 1 }]);
  });

  it('takes up again what a process has begun and not finished, once its lease is over', async () => {
    await storeAndDie(3);
    const taken = await claimOrders(
      fixture.context.stores.database,
      { kind: 'due' },
      { limit: 10, leaseMs: 30_000 },
    );
    expect(taken).toHaveLength(3);
    expect(await indexer().sweep()).toBe(0);
    await makeDue();
    expect(await indexer().sweep()).toBe(3);
  });

  it('throws an index away that was made from a text which has changed meanwhile', async () => {
    const { writer } = fixture.context.stores;
    await writer.insert(sourceId, { text: 'Old okapi', externalKey: 'a' });
    await fixture.settle();
    await writer.insert(sourceId, { text: 'Older okapi', externalKey: 'a' });
    await fixture.settle();
    const changing = Object.assign(new SwitchableEmbeddings(), {
      async embed(texts: readonly string[]) {
        await database.dataSource.query(
          `UPDATE context_entry SET text = 'New zebra', content_hash = '\\x01'`,
        );
        await database.dataSource.query(
          `UPDATE entry_index SET content_hash = '\\x01', state = 'pending', terms = NULL`,
        );
        return texts.map(() => Uint8Array.of(1));
      },
    });
    await makeDue();
    await database.dataSource.query(`UPDATE entry_index SET state = 'pending'`);
    await indexer(changing).sweep();
    expect(await states()).toMatchObject({ written: 0, pending: 1 });
    await makeDue();
    await indexer().sweep();
    const ask = async (text: string): Promise<number> => {
      const request = { sources: [{ id: 'docs' }], texts: [text], recentLimit: 0 };
      const { messages } = await fixture.context.compiler.compile(fixture.user, request);
      return messages.length;
    };
    expect([await ask('okapi'), await ask('zebra')]).toEqual([0, 1]);
  });

  it('keeps words searchable while the embedding service fails, and tries again later', async () => {
    await storeAndDie(2);
    const embeddings = new SwitchableEmbeddings();
    embeddings.failure = new Error('no service');
    const failing = indexer(embeddings);
    await failing.sweep();
    expect(await states()).toMatchObject({ written: 0, pending: 2, failed: 0 });
    const { messages } = await fixture.context.compiler.compile(fixture.user, {
      sources: [{ id: 'docs' }],
      texts: ['entry'],
      recentLimit: 0,
    });
    expect(messages).toHaveLength(2);
    // Not at once.
    expect(await failing.sweep()).toBe(0);
    embeddings.failure = undefined;
    await makeDue();
    expect(await failing.sweep()).toBe(2);
  });

  it('gives an entry up after its attempts, until it is asked to repair it', async () => {
    await storeAndDie(1);
    const embeddings = new SwitchableEmbeddings();
    embeddings.failure = new Error('no service');
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await makeDue();
      await indexer(embeddings).sweep();
    }
    expect(await states()).toMatchObject({ pending: 0, failed: 1 });
    const report = await fixture.context.entries.consistency(fixture.user, 'docs');
    expect(report.inconsistent).toMatchObject([{ attempts: 3, lastError: 'no service' }]);
    expect(await fixture.context.entries.repair(fixture.user, 'docs')).toEqual({
      repaired: 1,
      failed: 0,
    });
    expect(await states()).toMatchObject({ written: 1 });
  });

  it('indexes entries that have no index row at all when it is asked to repair', async () => {
    await storeAndDie(9);
    await database.dataSource.query('DELETE FROM entry_index');
    const report = await fixture.context.entries.consistency(fixture.user, 'docs');
    expect(report).toMatchObject({ total: 9, missing: 9, written: 0 });
    expect(await fixture.context.entries.repair(fixture.user, 'docs')).toMatchObject({
      repaired: 9,
    });
  });

  it('indexes a burst of writes in few batches', async () => {
    let batches = 0;
    const counting = Object.assign(new SwitchableEmbeddings(), {
      embed(texts: readonly string[]) {
        batches += 1;
        return Promise.resolve(texts.map(() => Uint8Array.of(1)));
      },
    });
    const busy = new ContextFixture(database.dataSource, { embeddings: counting });
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        busy.context.stores.writer.insert(sourceId, { text: `Burst ${index}` }),
      ),
    );
    await busy.settle();
    expect(await states()).toMatchObject({ written: 100 });
    expect(batches).toBeLessThan(50);
    await busy.close();
  });

  it('takes no more once it is closed', async () => {
    await storeAndDie(3);
    const closed = indexer();
    await closed.close();
    await closed.close();
    closed.nudge();
    await closed.settle();
    expect(await closed.sweep()).toBe(0);
  });
});
