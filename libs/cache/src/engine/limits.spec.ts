import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { CacheOptionsError } from '../errors/cache-options.error.js';
import { MemoryTier } from '../tier/memory.tier.js';
import { ChaosTier } from '../testing/chaos.tier.js';
import { Cluster } from '../testing/cluster.js';
import type { CacheHub } from './cache-hub.js';

describe('limits of a cache that change while it is in use', () => {
  let clock: ManualClock;
  let cluster: Cluster;
  let hub: CacheHub;

  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    cluster = new Cluster(clock);
    hub = await cluster.join();
  });

  afterEach(() => cluster.close());

  const never = (): never => {
    throw new Error('loaded');
  };

  it('neither reads nor fills a level that is off, and deletes from it all the same', async () => {
    const other = (await cluster.join()).cache<string>('orders');
    const cache = hub.cache<string>('orders');
    await other.set('a', 'old');
    expect(hub.limitLevel('L2', { isEnabled: false })).toBe(true);
    await cache.getOrSet('b', () => 'b');
    await hub.drain();
    expect((await cache.keyInfo('b')).map(({ level }) => level)).toEqual(['L1', 'L3']);
    await cache.getOrSet('a', never);
    expect(hub.levels()[0]).toMatchObject({ level: 'L2', isEnabled: false, hits: 0, sets: 0 });
    await cache.set('a', 'new');
    expect((await other.keyInfo('a')).map(({ level }) => level)).toEqual(['L3']);
    hub.limitLevel('L2', { isEnabled: true });
    expect(await other.getOrSet('a', never)).toBe('new');
  });

  it('limits the life in one level, of what is stored from then on', async () => {
    const cache = hub.cache<string>('orders', { ttlMs: 60_000, jitter: 0 });
    hub.limitLevel('L1', { ttlMs: 1_000 });
    hub.limitLevel('L3', { ttlMs: 5_000 });
    await cache.set('a', 'value');
    const livesOf = async () =>
      Object.fromEntries(
        (await cache.keyInfo('a')).map(({ level, ttlLeftMs }) => [level, ttlLeftMs]),
      );
    expect(await livesOf()).toEqual({ L1: 1_000, L2: 60_000, L3: 5_000 });
    expect(hub.l1TtlMs).toBe(1_000);
    hub.limitLevel('L1', { ttlMs: null });
    hub.limitLevel('L3', { ttlMs: null });
    await cache.set('a', 'value');
    expect(await livesOf()).toEqual({ L1: 60_000, L2: 60_000, L3: 60_000 });
  });

  it('changes how long a level is waited for, and knows no level that is not there', () => {
    hub.limitLevel('L3', { timeoutMs: 7 });
    expect(hub.levels().map(({ timeoutMs }) => timeoutMs)).toEqual([200, 7]);
    expect(hub.limitLevel('L4', { timeoutMs: 7 })).toBe(false);
  });

  it('changes the rule of a namespace, all of it or nothing', async () => {
    const cache = hub.cache<string>('orders', { ttlMs: 60_000, jitter: 0 });
    cache.configure({ ttlMs: 1_000 });
    expect(() => cache.configure({ ttlMs: 5, jitter: 7 })).toThrow(CacheOptionsError);
    expect(cache.rule).toMatchObject({ ttlMs: 1_000, jitter: 0 });
    await cache.set('a', 'value');
    clock.advance(1_001);
    expect(await cache.getEntry('a')).toBeUndefined();
  });

  it('asks a level that is left alone whether it is back', async () => {
    const chaos = new ChaosTier(new MemoryTier({ clock }));
    const own = await new Cluster(clock, [chaos]).join();
    chaos.plan = () => ({ kind: 'error' });
    for (let at = 0; at < 5; at += 1) await own.cache('orders').get(`${at}`);
    const state = () => own.levels()[0]?.state;
    expect(state()).toBe('open');
    clock.advance(1_000);
    await own.probe();
    expect(state()).toBe('open');
    chaos.plan = () => ({ kind: 'none' });
    clock.advance(1_000);
    await own.probe();
    expect(state()).toBe('closed');
    const { calls } = chaos;
    await own.probe();
    expect(chaos.calls).toBe(calls);
    await own.close();
  });

  it('tells what the stores hold, where they know', async () => {
    await hub.cache('orders').set('a', 1);
    expect(await hub.usage()).toEqual(
      new Map([
        ['L2', { items: 1 }],
        ['L3', { items: 1 }],
      ]),
    );
  });

  it('sweeps levels until nothing has expired, and counts', async () => {
    const cache = hub.cache('orders', { ttlMs: 1_000, jitter: 0 });
    for (let at = 0; at < 20; at += 1) await cache.set(`${at}`, at);
    clock.advance(2_000);
    expect(await hub.sweep()).toEqual(
      new Map([
        ['L2', 20],
        ['L3', 20],
      ]),
    );
    expect(await hub.sweep()).toEqual(
      new Map([
        ['L2', 0],
        ['L3', 0],
      ]),
    );
    expect(hub.levels().map(({ swept }) => swept)).toEqual([20, 20]);
  });
});
