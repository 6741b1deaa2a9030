import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import type { RecallRequest, RelevantRequest } from './memory.service.js';
import { ContextFixture, principal, stoppedClock } from '../testing/context-fixture.js';

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
afterEach(() => fixture.close());

async function remember(texts: readonly string[], who = fixture.user): Promise<string[]> {
  const ids: string[] = [];
  for (const text of texts) ids.push((await fixture.context.memories.remember(who, { text })).id);
  await fixture.settle();
  return ids;
}

const textsOf = (memories: readonly { text: string }[]): string[] =>
  memories.map(({ text }) => text);

const recall = async (request: RecallRequest, who = fixture.user) =>
  (await fixture.context.memories.recall(who, request)).items;

const relevant = async (request: RelevantRequest = {}, who = fixture.user) =>
  (await fixture.context.memories.relevant(who, request)).items;

describe('memories', () => {
  it('are recalled by what they say, best first', async () => {
    await remember(['Ann likes green tea', 'The dentist is on Friday', 'Tea is at five']);
    const found = await recall({ query: 'green tea' });
    expect(textsOf(found)).toEqual(['Ann likes green tea', 'Tea is at five']);
    expect(found[0]).toMatchObject({ importance: 0, pinned: false, rating: null, metadata: {} });
    expect(found[0]?.terms.text).toBeGreaterThan(found[1]?.terms.text ?? Infinity);
    const one = await recall({ query: 'tea', limit: 1 });
    expect(one).toHaveLength(1);
  });

  it('are recalled under conditions', async () => {
    for (const topic of ['work', 'home']) {
      await fixture.context.memories.remember(fixture.user, {
        text: `Keys are at ${topic}`,
        metadata: { topic },
      });
    }
    await fixture.settle();
    const found = await recall({
      query: 'keys',
      where: { topic: 'home' },
    });
    expect(textsOf(found)).toEqual(['Keys are at home']);
  });

  it('are relevant by all that counts: time, importance and what is going on', async () => {
    await fixture.context.memories.remember(fixture.user, {
      text: 'Allergic to nuts',
      importance: true,
      occurredAt: new Date(clock.nowMs() - 1e10),
    });
    await remember(Array.from({ length: 60 }, (_, index) => `Small talk ${index}`));

    expect(textsOf(await relevant({ limit: 1 }))).toEqual(['Allergic to nuts']);
    const talk = await relevant({ texts: ['small talk 17'], limit: 2 });
    expect(textsOf(talk)[0]).toBe('Small talk 17');
    expect(talk[0]?.score).toBeGreaterThan(talk[1]?.score ?? Infinity);
    expect(await relevant()).toHaveLength(10);
  });

  it('move with feedback, and keep what it does not state', async () => {
    const [first = '', second = ''] = await remember(['First thing', 'Second thing']);
    const { memories } = fixture.context;
    await memories.feedback(fixture.user, first, { rating: 4 });
    await memories.feedback(fixture.user, first, { pinned: true });
    await memories.feedback(fixture.user, second, { rating: -5, importance: true });
    const [best, worst] = await relevant();
    expect(best).toMatchObject({ id: first, rating: 4, pinned: true, importance: 0 });
    expect(best?.terms.importance).toBe(6.5);
    expect(worst).toMatchObject({ id: second, rating: -5, importance: 5 });
  });

  it('are nobody else’s', async () => {
    const [id = ''] = await remember(['My secret']);
    const { memories } = fixture.context;
    for (const other of [principal(fixture.user.organizationId), principal()]) {
      expect(await recall({ query: 'secret' }, other)).toEqual([]);
      expect(await relevant({}, other)).toEqual([]);
      await expect(memories.feedback(other, id, { rating: 1 })).rejects.toMatchObject({
        code: 'ENTRY_NOT_FOUND',
      });
      await remember(['Their own'], other);
      expect(textsOf(await relevant({}, other))).toEqual(['Their own']);
    }
    expect(textsOf(await relevant())).toEqual(['My secret']);
  });

  it('need a permission', async () => {
    const { memories } = fixture.context;
    fixture.access.forbidden.add('write memory').add('read memory');
    for (const attempt of [
      memories.remember(fixture.user, { text: 'x' }),
      memories.recall(fixture.user, { query: 'x' }),
      memories.relevant(fixture.user, {}),
      memories.feedback(fixture.user, newId(), {}),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'MEMORY_FORBIDDEN', kind: 'forbidden' });
    }
  });

  it('of two first requests at once go to one source', async () => {
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        fixture.context.memories.remember(fixture.user, { text: `At once ${index}` }),
      ),
    );
    const { items } = await fixture.context.sources.list(fixture.user, { limit: 50 });
    expect(items.map(({ name, kind, scope }) => [name, kind, scope])).toEqual([
      ['memories', 'memory', 'personal'],
    ]);
    expect(await relevant()).toHaveLength(8);
  });

  it('are not found under an id that is none', async () => {
    await remember(['x']);
    for (const id of [newId(), 'none']) {
      await expect(
        fixture.context.memories.feedback(fixture.user, id, { rating: 1 }),
      ).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' });
    }
  });
});
