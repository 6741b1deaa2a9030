import { describe, expect, it } from '@jest/globals';
import { KeyTable } from './key-table.js';

const tableOf = (maxKeys: number) => new KeyTable((key: string) => ({ key }), maxKeys);
const keysOf = (table: KeyTable<{ key: string }>) =>
  [...table.entries()].map(({ key }) => key).toSorted();

describe('KeyTable', () => {
  it('gives the same entry to a key as long as there is room', () => {
    const table = tableOf(3);
    const a = table.touch('a');
    expect(table.touch('b')).not.toBe(a);
    expect(table.touch('a')).toBe(a);
    expect(table.size).toBe(2);
  });

  it('forgets what was not seen for the longest time', () => {
    const table = tableOf(3);
    for (const key of ['a', 'b', 'c', 'a', 'd']) table.touch(key);
    expect(keysOf(table)).toEqual(['a', 'c', 'd']);
    for (const key of ['c', 'e', 'c', 'f']) table.touch(key);
    expect(keysOf(table)).toEqual(['c', 'e', 'f']);
  });

  it('works with room for one, and after it was cleared', () => {
    const table = tableOf(1);
    for (const key of ['a', 'b', 'b', 'c']) table.touch(key);
    expect(keysOf(table)).toEqual(['c']);
    table.clear();
    expect(table.size).toBe(0);
    table.touch('d');
    expect(keysOf(table)).toEqual(['d']);
  });
});
