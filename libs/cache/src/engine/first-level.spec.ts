import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { SyncState } from '../coherence/sync-state.js';
import { FirstLevel, NO_HIT } from './first-level.js';
import { L1Entry } from './l1-entry.js';
import { TagTable } from './tag-table.js';

describe('FirstLevel', () => {
  let clock: ManualClock;
  let sync: SyncState;
  let table: TagTable;
  let level: FirstLevel;

  beforeEach(() => {
    clock = new ManualClock();
    sync = new SyncState();
    table = new TagTable(sync);
    level = new FirstLevel(sync, { clock, maxItems: 1_000 });
  });

  /** An entry whose times after now are given. */
  function entryOf(
    value: unknown,
    times: { due?: number; fresh?: number; stale?: number } = {},
    tags: readonly string[] = [],
  ): L1Entry {
    const { fresh = 1_000 } = times;
    const { due = fresh, stale = fresh } = times;
    const nowMs = clock.nowMs();
    const refs = tags.map((tag) => table.ref(tag));
    const vector = table.tagsOf({ refs, versions: refs.map(({ version }) => version) }, 0);
    return new L1Entry(
      value,
      nowMs + due,
      nowMs + fresh,
      nowMs + stale,
      nowMs - 5,
      7,
      sync.epoch,
      vector,
    );
  }

  /** Hits go by a clock that is read now and then; an exact look reads it. */
  function look(): void {
    level.peek('k');
  }

  it('serves every value, also undefined, until a refresh is due', () => {
    for (const value of [undefined, null, 0, '', false, { a: 1 }]) {
      level.set('k', entryOf(value, { due: 500 }));
      look();
      expect(level.hit('k')).toBe(value);
    }
    clock.advance(500);
    look();
    expect(level.hit('k')).toBe(NO_HIT);
    expect(level.get('k')).toMatchObject({ loadMs: 7 });
    expect(level.hit('absent')).toBe(NO_HIT);
  });

  it('gives back the times of entries of all kinds, whichever came first', () => {
    const entries = {
      plain: entryOf(1),
      stale: entryOf(2, { stale: 3_000 }),
      tagged: entryOf(3, {}, ['a', 'b']),
      ahead: entryOf(4, { due: 300, stale: 2_000 }),
      last: entryOf(5),
    };
    for (const [key, entry] of Object.entries(entries)) level.set(key, entry);
    for (const [key, entry] of Object.entries(entries)) {
      const { loadMs, ...rest } = Object.fromEntries(Object.entries(level.get(key) ?? {}));
      expect({ ...rest, loadMs: 7 }).toEqual(Object.fromEntries(Object.entries(entry)));
      expect([0, 7]).toContain(loadMs);
    }
  });

  it('is never younger than the entry was, with parts of milliseconds', () => {
    const { createdMs, expiresMs } = entryOf(1);
    level.set(
      'k',
      new L1Entry(1, 0, expiresMs + 0.25, expiresMs + 0.25, createdMs + 0.5, 0, 1, null),
    );
    const held = level.get('k');
    expect(held?.expiresMs).toBe(expiresMs + 1);
    expect(held?.createdMs).toBeGreaterThanOrEqual(createdMs + 0.5);
    expect(held?.createdMs).toBeLessThan(createdMs + 1.5);
  });

  it('keeps what it knows of the entries that stay when it shrinks, and reuses slots clean', () => {
    for (let index = 0; index < 1_000; index += 1) {
      const tags = index % 2 === 0 ? [`even`] : [];
      level.set(`k${index}`, entryOf(index, { due: 100 + index, stale: 4_000 }, tags));
    }
    level.resize({ maxItems: 40 });
    let kept = 0;
    for (let index = 0; index < 1_000; index += 1) {
      const held = level.peek(`k${index}`);
      if (held === undefined) continue;
      kept += 1;
      expect(held.value).toBe(index);
      expect(held.dueMs).toBe(clock.nowMs() + 100 + index);
      expect(held.tags?.refs.map(({ name }) => name)).toEqual(
        index % 2 === 0 ? ['even'] : undefined,
      );
    }
    expect(kept).toBe(40);
    level.clear();
    level.set('plain', entryOf('plain'));
    expect(level.get('plain')).toMatchObject({ tags: null, dueMs: clock.nowMs() + 1_000 });
  });

  it('hits nothing that was invalidated by a tag or from an epoch before', () => {
    level.set('tagged', entryOf(1, {}, ['a']));
    level.set('plain', entryOf(2));
    level.peek('plain');
    expect([level.hit('tagged'), level.hit('plain')]).toEqual([1, 2]);
    table.announce('a', 10);
    expect([level.hit('tagged'), level.hit('plain')]).toEqual([NO_HIT, 2]);
    sync.regain();
    expect(level.hit('plain')).toBe(NO_HIT);
  });

  it('has one object for the tags of entries that are alike', () => {
    level.set('a', entryOf(1, {}, ['x', 'y']));
    level.set('b', entryOf(2, {}, ['x', 'y']));
    level.set('c', entryOf(3, {}, ['x']));
    expect(level.peek('a')?.tags).toBe(level.peek('b')?.tags);
    expect(level.peek('c')?.tags?.refs).toHaveLength(1);
    table.announce('y', 9);
    level.set('d', entryOf(4, {}, ['x', 'y']));
    expect(level.peek('d')?.tags).not.toBe(level.peek('a')?.tags);
    expect((level.weightOf('b') ?? 0) < (level.weightOf('a') ?? 0)).toBe(true);
  });
});
