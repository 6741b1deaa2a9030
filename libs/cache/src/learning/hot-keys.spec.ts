import { describe, expect, it } from '@jest/globals';
import { HotKeys } from './hot-keys.js';
import { RecentMap } from './recent-map.js';
import { traceLines } from './trace-export.js';

describe('HotKeys', () => {
  it('finds the keys read most among many, and how often each comes', () => {
    const keys = new HotKeys(64);
    let atMs = 0;
    for (let read = 0; read < 20_000; read += 1) {
      atMs += 10;
      keys.add(read % 4 === 0 ? 'hot' : `other ${read}`, atMs);
    }
    const [first] = keys.top(5);
    expect(first).toMatchObject({ key: 'hot', overcount: 0, gapMs: 40 });
    expect((first?.reads ?? 0) / keys.reads).toBeCloseTo(0.25, 1);
  });

  it('forgets what was hot two hours ago', () => {
    const keys = new HotKeys();
    for (let read = 0; read < 100; read += 1) keys.add('old', read);
    for (let hour = 1; hour < 4; hour += 1) keys.add('new', hour * 3_700_000);
    expect(keys.top(10).map(({ key }) => key)).toEqual(['new']);
  });
});

describe('RecentMap', () => {
  it('stays within its limit and keeps what is used', () => {
    const map = new RecentMap<number>(100);
    for (let key = 0; key < 10_000; key += 1) {
      map.set(`key ${key}`, key);
      map.get('key 0');
      expect(map.size).toBeLessThanOrEqual(100);
    }
    expect(map.get('key 0')).toBe(0);
    expect(map.has('key 5000')).toBe(false);
    expect([...map.entries()].length).toBe(map.size);
    map.clear();
    expect(map.size).toBe(0);
  });
});

describe('traceLines', () => {
  it('gives the same digest for the same key, and tells nothing of it', () => {
    const accesses = ['user:ada', 'user:bob', 'user:ada'].map((key, index) => ({
      key,
      atMs: index,
      isHit: index > 0,
      client: index === 0 ? undefined : 'ada',
    }));
    const text = [...traceLines(accesses)];
    const lines = text.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(text.join('')).not.toContain('ada');
    expect(lines[0]?.['key']).toBe(lines[2]?.['key']);
    expect(lines[0]?.['key']).not.toBe(lines[1]?.['key']);
    expect(lines.map(({ hit }) => hit)).toEqual([false, true, true]);
    expect(lines[0]).not.toHaveProperty('client');
  });
});
