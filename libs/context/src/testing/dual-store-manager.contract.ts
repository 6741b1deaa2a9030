import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import type { Consistency, DualStoreManager } from '../port/dual-store-manager.js';
import type { StoreEntry } from '../port/store-entry.js';

/** Stores of a test's own. */
export interface DualStoreFixture {
  /** A manager of an empty source. */
  createManager(consistency: Consistency): Promise<DualStoreManager>;
  /** Has index writes fail with this message, or succeed again. */
  failIndexWrites(message: string | undefined): void;
  /** Waits until the index has followed as far as it does by itself. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

const at = (minute: number): Date => new Date(Date.UTC(2026, 4, 1, 12, minute));
const textsOf = (entries: readonly StoreEntry[]): string[] =>
  entries.map(({ text }) => String(text));

/** What every dual store manager must do. */
export function describeDualStoreManager(
  name: string,
  createFixture: () => Promise<DualStoreFixture>,
): void {
  describe(name, () => {
    let fixture: DualStoreFixture;
    let manager: DualStoreManager;

    beforeEach(async () => {
      fixture = await createFixture();
      manager = await fixture.createManager('eventual');
    });

    afterEach(() => fixture.close());

    async function fill(texts: readonly string[]): Promise<string[]> {
      const ids: string[] = [];
      for (const [minute, text] of texts.entries()) {
        ids.push(await manager.insert({ text, occurredAt: at(minute) }));
      }
      await fixture.settle();
      return ids;
    }

    describe('entries', () => {
      it('gives back what was stored, with its fields as metadata', async () => {
        const id = await manager.insert({
          text: 'Hello',
          role: 'user',
          author: 'Ann',
          type: 'greeting',
          occurredAt: at(1),
          importance: true,
          pinned: true,
          rating: 1.5,
          metadata: { room: 'hall', list: [1, { deep: null }] },
        });
        expect(await manager.get(id)).toMatchObject({
          id,
          text: 'Hello',
          occurredAt: at(1),
          metadata: {
            role: 'user',
            name: 'Ann',
            type: 'greeting',
            room: 'hall',
            list: [1, { deep: null }],
          },
          importance: 5,
          pinned: true,
          rating: 1.5,
        });
      });

      it('stores a bare text with an empty metadata', async () => {
        const id = await manager.addEntry('Just words');
        expect(await manager.get(id)).toMatchObject({ text: 'Just words', metadata: {} });
      });

      it('knows nothing of ids that it has not given', async () => {
        expect(await manager.get(newId())).toBeNull();
        expect(await manager.get('no id at all')).toBeNull();
      });

      it('overwrites the entry of a known external key, and doubles nothing', async () => {
        const first = await manager.insert({ text: 'Old words', externalKey: 'a' });
        const again = await manager.insert({ text: 'Old words', externalKey: 'a' });
        const changed = await manager.insert({ text: 'New phrases', externalKey: 'a' });
        await fixture.settle();
        expect([again, changed]).toEqual([first, first]);
        expect(textsOf(await manager.getMostRecent())).toEqual(['New phrases']);
        expect(textsOf(await manager.getMostRelevant(['phrases'], 5))).toEqual(['New phrases']);
        expect(await manager.getMostRelevant(['words'], 5)).toEqual([]);
      });
    });

    describe('recent entries', () => {
      it('are ten by default, the latest first', async () => {
        await fill(Array.from({ length: 12 }, (_, index) => `Entry ${index}`));
        const recent = textsOf(await manager.getMostRecent());
        expect(recent).toHaveLength(10);
        expect(recent.slice(0, 2)).toEqual(['Entry 11', 'Entry 10']);
      });

      it('are ordered by when they happened, not by when they were stored', async () => {
        await manager.insert({ text: 'late', occurredAt: at(9) });
        await manager.insert({ text: 'early', occurredAt: at(1) });
        expect(textsOf(await manager.getMostRecent(2))).toEqual(['late', 'early']);
        expect(textsOf(await manager.getMostRecent(2, {}, 'oldest'))).toEqual(['early', 'late']);
      });

      it('are there before the index has followed', async () => {
        fixture.failIndexWrites('down');
        await manager.addEntry('Said just now');
        expect(textsOf(await manager.getMostRecent(1))).toEqual(['Said just now']);
      });
    });

    describe('relevant entries', () => {
      it('come best first, and no more than asked for', async () => {
        await fill(['red apples and pears', 'apples', 'the weather', 'pears and plums']);
        expect(textsOf(await manager.getMostRelevant(['apples'], 5))).toEqual([
          'apples',
          'red apples and pears',
        ]);
        expect(await manager.getMostRelevant(['apples pears plums weather'], 2)).toHaveLength(2);
      });

      it('fit any of the texts', async () => {
        await fill(['about apples', 'about trains', 'about nothing']);
        const found = textsOf(await manager.getMostRelevant(['apples', 'trains'], 5));
        expect(found.sort()).toEqual(['about apples', 'about trains']);
      });

      it('are found by another form of a word, in any case and without accents', async () => {
        await fill(['Connections were closed', 'Un café s’il vous plaît', 'getMostRecent(limit)']);
        expect(textsOf(await manager.getMostRelevant(['CONNECTING'], 5))).toHaveLength(1);
        expect(textsOf(await manager.getMostRelevant(['cafe'], 5))).toHaveLength(1);
        expect(textsOf(await manager.getMostRelevant(['recent limits'], 5))).toHaveLength(1);
      });

      it('are none without a word or a match', async () => {
        await fill(['something']);
        expect(await manager.getMostRelevant([], 5)).toEqual([]);
        expect(await manager.getMostRelevant(['?!'], 5)).toEqual([]);
        expect(await manager.getMostRelevant(['else'], 5)).toEqual([]);
      });
    });

    describe('conditions', () => {
      const entries = [
        { text: 'one fruit', metadata: { room: 'hall', tags: ['a', 'b'], deep: { x: 1, y: 2 } } },
        { text: 'two fruit', metadata: { room: 'attic', tags: ['b'], deep: { x: 1 } } },
        { text: 'three fruit', role: 'user' as const, author: 'Ann', metadata: { room: null } },
        { text: 'four fruit', metadata: { role: 'user', type: 'note' } },
      ];

      it.each([
        ['nothing', {}, ['one', 'two', 'three', 'four']],
        ['a value', { room: 'hall' }, ['one']],
        ['null, which is a value', { room: null }, ['three']],
        ['an element', { tags: ['b'] }, ['one', 'two']],
        ['several elements', { tags: ['b', 'a'] }, ['one']],
        ['a part of an object', { deep: { x: 1 } }, ['one', 'two']],
        ['another type', { deep: 1 }, []],
        ['a role, wherever it was given', { role: 'user' }, ['three', 'four']],
        ['an author', { author: 'Ann' }, ['three']],
        ['a type', { type: 'note' }, ['four']],
        ['all of several', { room: 'attic', tags: ['a'] }, []],
      ])('match %s', async (_, where, expected) => {
        for (const entry of entries) await manager.insert(entry);
        await fixture.settle();
        const firstWords = (found: readonly StoreEntry[]): string[] =>
          textsOf(found)
            .map((text) => text.split(' ')[0] ?? '')
            .sort();
        expect(firstWords(await manager.getMostRecent(10, where))).toEqual([...expected].sort());
        expect(firstWords(await manager.getMostRelevant(['fruit'], 10, where))).toEqual(
          [...expected].sort(),
        );
      });
    });

    describe('consistency', () => {
      it('is reached after a write', async () => {
        const [id = ''] = await fill(['one', 'two']);
        expect(await manager.checkConsistency(id)).toEqual({
          id,
          stored: true,
          index: 'written',
          consistent: true,
          attempts: expect.any(Number),
          lastError: null,
        });
        expect(await manager.getConsistencyReport()).toEqual({
          total: 2,
          written: 2,
          pending: 0,
          failed: 0,
          missing: 0,
          inconsistent: [],
        });
      });

      it('is not claimed of what is not stored', async () => {
        const id = newId();
        expect(await manager.checkConsistency(id)).toMatchObject({
          id,
          stored: false,
          index: 'missing',
          consistent: false,
        });
        expect(await manager.retryVectorWrite(id)).toBe(false);
        expect(await manager.retryVectorWrite('no id at all')).toBe(false);
      });

      it('keeps an entry whose index write fails, and says so', async () => {
        fixture.failIndexWrites('index is down');
        const id = await manager.addEntry('kept');
        await fixture.settle();
        expect(await manager.get(id)).toMatchObject({ text: 'kept' });
        expect(await manager.checkConsistency(id)).toMatchObject({
          stored: true,
          index: 'pending',
          consistent: false,
          lastError: expect.stringContaining('index is down'),
        });
        const report = await manager.getConsistencyReport();
        expect(report).toMatchObject({ total: 1, written: 0, pending: 1 });
        expect(report.inconsistent.map((entry) => entry.id)).toEqual([id]);
      });

      it('lists no more than asked for, and counts all', async () => {
        fixture.failIndexWrites('index is down');
        for (const text of ['a', 'b', 'c']) await manager.addEntry(text);
        await fixture.settle();
        const report = await manager.getConsistencyReport(2);
        expect(report.inconsistent).toHaveLength(2);
        expect(report.pending).toBe(3);
      });

      it('is repaired by a retry once the index can be written', async () => {
        fixture.failIndexWrites('index is down');
        const id = await manager.addEntry('lost and found');
        await fixture.settle();
        expect(await manager.retryVectorWrite(id, 2)).toBe(false);
        fixture.failIndexWrites(undefined);
        expect(await manager.retryVectorWrite(id)).toBe(true);
        expect(textsOf(await manager.getMostRelevant(['found'], 5))).toEqual(['lost and found']);
      });

      it('rejects a strict write whose index fails, and keeps nothing of it', async () => {
        const strict = await fixture.createManager('strict');
        fixture.failIndexWrites('index is down');
        await expect(strict.addEntry('never')).rejects.toThrow('index is down');
        fixture.failIndexWrites(undefined);
        expect(await strict.getMostRecent()).toEqual([]);
        expect((await strict.getConsistencyReport()).total).toBe(0);
      });

      it('is there at once after a strict write', async () => {
        const strict = await fixture.createManager('strict');
        const id = await strict.addEntry('at once');
        expect(await strict.checkConsistency(id)).toMatchObject({ consistent: true });
        expect(textsOf(await strict.getMostRelevant(['once'], 5))).toEqual(['at once']);
      });
    });

    it('can be cleaned up twice', async () => {
      await manager.addEntry('something');
      await manager.cleanup();
      await manager.cleanup();
    });
  });
}
