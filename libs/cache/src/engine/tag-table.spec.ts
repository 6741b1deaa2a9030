import { beforeEach, describe, expect, it } from '@jest/globals';
import { SyncState } from '../coherence/sync-state.js';
import { isCurrent, TagTable } from './tag-table.js';

const MAX_NAMES = 100;

describe('a table of versions', () => {
  let table: TagTable;

  beforeEach(() => {
    table = new TagTable(new SyncState(), MAX_NAMES);
  });

  const learn = (name: string, version = 1) => table.learn(name, version, 1);
  const learnMany = (count: number, prefix = 'other') => {
    for (let at = 0; at < count; at += 1) learn(`${prefix} ${at}`);
  };
  const vectorOf = (name: string) => {
    const ref = table.ref(name);
    return { refs: [ref], versions: [ref.version] };
  };

  it('knows at most so many names', () => {
    learnMany(10 * MAX_NAMES);
    expect(table.size).toBeLessThanOrEqual(MAX_NAMES);
    expect(table.size).toBeGreaterThanOrEqual(MAX_NAMES / 2);
  });

  it('keeps what is asked for again and again', () => {
    learn('in use', 7);
    const vector = vectorOf('in use');
    for (let round = 0; round < 50; round += 1) {
      learnMany(MAX_NAMES / 4, `round ${round}`);
      expect(table.verified('in use')?.version).toBe(7);
    }
    expect(isCurrent(vector)).toBe(true);
  });

  it('has what holds a forgotten name be invalid, also when the name is learnt anew', () => {
    learn('forgotten', 7);
    const vector = vectorOf('forgotten');
    learnMany(MAX_NAMES);
    expect(table.verified('forgotten')).toBeUndefined();
    expect(isCurrent(vector)).toBe(false);
    learn('forgotten', 7);
    expect(isCurrent(vector)).toBe(false);
    expect(isCurrent(vectorOf('forgotten'))).toBe(true);
  });

  it('forgets no name whose invalidation is not confirmed', () => {
    learn('pending', 7);
    const vector = vectorOf('pending');
    table.begin('pending');
    learnMany(5 * MAX_NAMES);
    learn('pending', 7);
    expect(table.verified('pending')).toBeUndefined();
    expect(isCurrent(vector)).toBe(false);
    table.confirm('pending', 8);
    expect(table.verified('pending')?.version).toBe(8);
  });
});
