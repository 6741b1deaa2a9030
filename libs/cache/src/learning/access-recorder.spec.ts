import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { CacheHub } from '../engine/cache-hub.js';
import { AccessRecorder } from './access-recorder.js';

const keysOf = (recorder: AccessRecorder): string[] => recorder.accesses().map(({ key }) => key);

describe('AccessRecorder', () => {
  it('keeps the last reads, the oldest first', () => {
    const recorder = new AccessRecorder({ clock: new ManualClock(), capacity: 4 });
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) recorder.record(key, false, 1);
    expect(keysOf(recorder)).toEqual(['c', 'd', 'e', 'f']);
    expect(recorder.recorded).toBe(6);
  });

  it('keeps every read while it grows', () => {
    const recorder = new AccessRecorder({ clock: new ManualClock(), capacity: 1_000 });
    const keys = Array.from({ length: 1_000 }, (_, index) => `key ${index}`);
    for (const key of keys) recorder.record(key, true, 1);
    expect(keysOf(recorder)).toEqual(keys);
  });

  it('hands out what came since the last time and says what it lost', () => {
    const recorder = new AccessRecorder({ clock: new ManualClock(), capacity: 4 });
    recorder.record('a', false, 1);
    const first = recorder.since(0);
    expect(first.accesses.map(({ key }) => key)).toEqual(['a']);
    for (const key of ['b', 'c', 'd', 'e', 'f', 'g']) recorder.record(key, false, 1);
    const second = recorder.since(first.next);
    expect(second.accesses.map(({ key }) => key)).toEqual(['d', 'e', 'f', 'g']);
    expect(second.lost).toBe(2);
    expect(recorder.since(second.next)).toMatchObject({ accesses: [], lost: 0 });
  });

  it('records nothing while it is off, and goes on when it is switched on', () => {
    const recorder = new AccessRecorder({ clock: new ManualClock(), capacity: 0 });
    recorder.record('a', false, 1);
    expect(recorder.accesses()).toEqual([]);
    recorder.setCapacity(8);
    recorder.record('b', false, 1);
    expect(keysOf(recorder)).toEqual(['b']);
    recorder.setCapacity(0);
    recorder.record('c', false, 1);
    expect(recorder.accesses()).toEqual([]);
  });

  it('follows the reads of a cache with their outcome, time and client', async () => {
    const clock = new ManualClock(5_000);
    const hub = new CacheHub({ clock, clockResolutionMs: 0 });
    const cache = hub.cache<number>('numbers');
    const recorder = new AccessRecorder({ clock, capacity: 16, clientOf: () => 'ada' });
    cache.tap = recorder;
    await cache.getOrSet('one', () => 1);
    clock.advance(10);
    await cache.getOrSet('one', () => 1);
    await cache.getMany(['one', 'two']);
    await cache.get('two');
    expect(recorder.accesses()).toEqual([
      { key: 'one', isHit: false, atMs: 5_000, client: 'ada' },
      { key: 'one', isHit: true, atMs: 5_010, client: 'ada' },
      { key: 'one', isHit: true, atMs: 5_010, client: 'ada' },
      { key: 'two', isHit: false, atMs: 5_010, client: 'ada' },
      { key: 'two', isHit: false, atMs: 5_010, client: 'ada' },
    ]);
    await hub.close();
  });
});
