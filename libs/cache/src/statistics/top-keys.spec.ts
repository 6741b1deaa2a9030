import { describe, expect, it } from '@jest/globals';
import { TopKeys } from './top-keys.js';

describe('TopKeys', () => {
  it('counts exactly while there are fewer keys than places', () => {
    const top = new TopKeys(10);
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) top.add(key);
    expect(top.top(2)).toEqual([
      { key: 'a', count: 3, overcount: 0 },
      { key: 'b', count: 2, overcount: 0 },
    ]);
  });

  it('keeps the frequent keys of a stream of many, within its places', () => {
    const top = new TopKeys(100);
    for (let index = 0; index < 200_000; index += 1) {
      top.add(index % 4 === 0 ? `hot-${(index / 4) % 5}` : `cold-${index}`);
    }
    const first = top.top(5);
    expect(first.map(({ key }) => key).sort()).toEqual([0, 1, 2, 3, 4].map((n) => `hot-${n}`));
    for (const { count, overcount } of first) {
      expect(count).toBeGreaterThanOrEqual(10_000);
      expect(count - overcount).toBeLessThanOrEqual(10_000);
    }
    expect(top.top(1_000)).toHaveLength(100);
  });
});
