import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BackgroundTasks, ManualClock } from '#libs/core';
import type { Cache } from '../engine/cache.js';
import { CacheHub } from '../engine/cache-hub.js';
import { AccessRecorder } from './access-recorder.js';
import type { KeyLoad } from './key-source.js';
import { type PrefetchOptions, resolvePrefetchOptions } from './prefetch.options.js';
import { Prefetcher } from './prefetcher.js';
import { SuccessorPredictor } from './successor-predictor.js';

describe('Prefetcher', () => {
  let clock: ManualClock;
  let hub: CacheHub;
  let cache: Cache;
  let tasks: BackgroundTasks;
  let loads: string[];
  let client: string | undefined;
  let isEnabled: boolean;
  let find: (key: string) => KeyLoad | undefined;

  beforeEach(() => {
    clock = new ManualClock();
    hub = new CacheHub({ clock, clockResolutionMs: 0 });
    cache = hub.cache('pages', { ttlMs: 60_000, jitter: 0 });
    tasks = new BackgroundTasks(() => undefined);
    loads = [];
    client = 'ada';
    isEnabled = true;
    find = (key) => ({ load: () => `${key} loaded ahead` });
  });

  afterEach(() => hub.close());

  function start(options: PrefetchOptions = {}): Prefetcher {
    const prefetcher = new Prefetcher({
      cache,
      recorder: new AccessRecorder({ clock, capacity: 0 }),
      predictor: new SuccessorPredictor(),
      source: { find: (key) => find(key) },
      clock,
      tasks,
      options: resolvePrefetchOptions(options),
      clientOf: () => client,
      isEnabled: () => isEnabled,
    });
    cache.tap = prefetcher;
    return prefetcher;
  }

  async function read(...keys: string[]): Promise<unknown[]> {
    const values = [];
    for (const key of keys) {
      const load = (): string => {
        loads.push(key);
        return key;
      };
      values.push(await cache.getOrSet(key, load));
      await nextTurn();
      await tasks.drain();
    }
    return values;
  }

  /** Visits of the same two pages, each so late that nothing is cached any more. */
  async function visit(times: number, ...keys: string[]): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      await read(...keys);
      clock.advance(3_600_000);
    }
  }

  it('loads what usually follows, so that the next read is a hit', async () => {
    const prefetcher = start();
    await visit(4, 'list', 'first');
    loads = [];
    expect(await read('list', 'first')).toEqual(['list', 'first loaded ahead']);
    expect(loads).toEqual(['list']);
    expect(prefetcher.counts().used).toBeGreaterThanOrEqual(1);
    expect(prefetcher.counts()).toMatchObject({ wasted: 0, pending: 0 });
  });

  it('counts as wasted what nobody reads in time, and asks for more confidence then', async () => {
    const prefetcher = start({ usefulWithinMs: 10_000 });
    await visit(6, 'list', 'first');
    const before = prefetcher.counts();
    await visit(2, 'list');
    const after = prefetcher.counts();
    expect(after.wasted).toBe(before.wasted + 2);
    expect(after.confidence).toBeGreaterThan(before.confidence);
  });

  it('counts as wasted what was gone before it was read', async () => {
    const prefetcher = start();
    await visit(4, 'list', 'first');
    await read('list');
    await cache.delete('first');
    const { wasted } = prefetcher.counts();
    await read('first');
    expect(prefetcher.counts().wasted).toBe(wasted + 1);
  });

  it('does not load ahead what is there already', async () => {
    const prefetcher = start();
    for (let time = 0; time < 10; time += 1) await read('list', 'first');
    expect(prefetcher.counts().started).toBe(0);
  });

  it('keeps to its budget a second and to its concurrency, and says what it left out', async () => {
    const prefetcher = start({ maxPerSecond: 1, maxAhead: 8 });
    await visit(5, 'list', 'a', 'b', 'c');
    clock.advance(10_000);
    const before = prefetcher.counts();
    await read('list');
    const after = prefetcher.counts();
    expect(after.started - before.started).toBe(1);
    expect(after.skipped.budget - before.skipped.budget).toBe(2);
  });

  it('skips keys that it does not know how to load', async () => {
    find = () => undefined;
    const prefetcher = start();
    await visit(4, 'list', 'first');
    expect(prefetcher.counts()).toMatchObject({ started: 0 });
    expect(prefetcher.counts().skipped.unknown).toBeGreaterThan(0);
  });

  it('survives a loader that fails, and lets the reader try for itself', async () => {
    find = () => ({
      load: () => {
        throw new Error('away');
      },
    });
    const prefetcher = start();
    await visit(4, 'list', 'first');
    expect(prefetcher.counts().failed).toBeGreaterThan(0);
    expect(await read('first')).toEqual(['first']);
  });

  it('does nothing while it is switched off, for nobody, or beyond its share of reads', async () => {
    isEnabled = false;
    const off = start();
    await visit(5, 'list', 'first');
    isEnabled = true;
    client = undefined;
    const nobody = start();
    await visit(5, 'list', 'first');
    client = 'ada';
    const exhausted = start();
    exhausted.refill(0);
    await visit(5, 'list', 'first');
    for (const prefetcher of [off, nobody, exhausted]) {
      expect(prefetcher.counts()).toMatchObject({ started: 0, used: 0, wasted: 0 });
    }
  });

  it('leaves a key to the reader who comes before its turn', async () => {
    const prefetcher = start();
    await visit(4, 'list', 'first');
    const before = prefetcher.counts();
    await Promise.all([cache.getOrSet('list', () => 'list'), cache.getOrSet('first', () => 'own')]);
    await nextTurn();
    await tasks.drain();
    expect(await cache.get('first')).toBe('own');
    expect(prefetcher.counts()).toMatchObject({ started: before.started, used: before.used });
  });
});
