import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { ChaosTier } from '../testing/chaos.tier.js';
import { Cluster } from '../testing/cluster.js';
import { MemoryTier } from '../tier/memory.tier.js';
import type { CacheHub } from './cache-hub.js';

async function turn(): Promise<void> {
  for (let index = 0; index < 10; index += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('CacheHub with shared levels', () => {
  const clock = new ManualClock();
  let cluster = new Cluster(clock);
  const options = { ttlMs: 2_000, jitter: 0 };

  afterEach(async () => {
    await cluster.close();
    cluster = new Cluster(clock);
  });

  /** Another process: an empty first level. */
  async function join(): Promise<{ hub: CacheHub; cache: ReturnType<CacheHub['cache']> }> {
    const hub = await cluster.join();
    return { hub, cache: hub.cache('orders', options) };
  }

  it('names the level of a hit and copies it upwards with the life that is left', async () => {
    const a = await join();
    await a.cache.set('k', 0);
    const b = await join();
    clock.advance(1_500);
    expect(await b.cache.getEntry('k')).toMatchObject({ value: 0, source: 'L2' });
    expect(await b.cache.getEntry('k')).toMatchObject({ value: 0, source: 'L1' });
    await cluster.tiers[0]?.clear();
    const c = await join();
    expect(await c.cache.getOrSetEntry('k', () => 1)).toMatchObject({ value: 0, source: 'L3' });
    await c.hub.drain();
    clock.advance(600);
    for (const { cache } of [a, b, c, await join()]) expect(await cache.get('k')).toBeUndefined();
  });

  it('refills a level above with what a level below has, except after a deletion', async () => {
    const a = await join();
    await a.cache.set('k', 1);
    await cluster.tiers[0]?.clear();
    const b = await join();
    await b.cache.get('k');
    await b.hub.drain();
    // A cleared level remembers the deletion, and the read came after it.
    expect((await cluster.tiers[0]?.get('orders:k'))?.entry?.value).toBe(1);
  });

  it.each<[string, (hub: CacheHub) => Promise<{ acknowledged: boolean }>]>([
    ['a deletion', (hub) => hub.cache('orders').delete('k')],
    ['a write', (hub) => hub.cache('orders').set('k', 2, { tags: ['red'] })],
    ['a tag', (hub) => hub.invalidateTags(['red'])],
    ['a namespace', (hub) => hub.clearNamespace('orders')],
    ['everything', (hub) => hub.clear()],
  ])('holds in every process when %s is acknowledged', async (_, invalidate) => {
    const [a, b, c] = [await join(), await join(), await join()];
    const tagged = { tags: ['red'] };
    for (const { cache } of [a, b, c]) await cache.getOrSet('k', () => 1, tagged);
    let release: (value: number) => void = () => undefined;
    const underWay = new Promise<number>((resolve) => {
      release = resolve;
    });
    await cluster.tiers[0]?.delete('orders:k');
    await cluster.tiers[1]?.delete('orders:k');
    const d = await join();
    const early = d.cache.getOrSet('k', () => underWay, tagged);
    await turn();
    expect(await invalidate(a.hub)).toEqual({ acknowledged: true });
    const late = [a, b, c, d].map(({ cache }) => cache.getOrSet('k', () => 2, tagged));
    await turn();
    release(1);
    expect(await early).toBe(1);
    expect(await Promise.all(late)).toEqual([2, 2, 2, 2]);
    await d.hub.drain();
    for (const { cache } of [a, b, c, d, await join()]) {
      expect(await cache.getOrSet('k', () => 2, tagged)).toBe(2);
    }
  });

  it('reads many with one call of each level', async () => {
    const a = await join();
    await a.cache.setMany([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    const chaos = cluster.tiers.map((tier) => new ChaosTier(tier));
    const b = await cluster.join({ tiers: chaos.map((tier) => ({ tier })) });
    const found = await b.cache('orders', options).getMany(['a', 'x', 'b', 'c', 'y']);
    expect(found).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ]),
    );
    expect(chaos.map((tier) => tier.calls)).toEqual([1, 1]);
  });

  it('treats as stale what it may have missed when a message is lost', async () => {
    const [a, b] = [await join(), await join()];
    await b.cache.getOrSet('k', () => 1);
    await b.hub.drain();
    expect(await b.cache.getEntry('k')).toMatchObject({ source: 'L1' });
    cluster.bus.loses = (text) => text.startsWith('["i"');
    const receipt = a.cache.delete('k');
    await turn();
    cluster.bus.loses = () => false;
    await a.cache.delete('other');
    // Not every process has confirmed the first one.
    expect(await receipt).toEqual({ acknowledged: false });
    expect(await b.cache.get('k')).toBeUndefined();
    expect(await b.cache.getOrSet('k', () => 2)).toBe(2);
  });

  it('does not trust its first level while it hears nothing, and asks the shared one', async () => {
    const [a, b] = [await join(), await join()];
    await b.cache.getOrSet('k', () => 1);
    await b.hub.drain();
    const { parts } = b.hub as unknown as { parts: { sync: { lose(): void } } };
    parts.sync.lose();
    expect(await b.cache.getEntry('k')).toMatchObject({ source: 'L2' });
    parts.sync.lose();
    await a.cache.delete('k');
    expect(await b.cache.getOrSet('k', () => 2)).toBe(2);
  });

  it('connects anew when it can send and hears nothing of it', async () => {
    const hub = await cluster.join({ heartbeatMs: 5 });
    const [nodeId] = [...cluster.bus.nodes.keys()].slice(-1) as [string];
    cluster.bus.deaf.add(nodeId);
    clock.advance(1_000);
    while (hub.isInSync) await turn();
    while (!hub.isInSync) await turn();
    expect(cluster.bus.deaf.size).toBe(0);
  });

  it('loads again instead of storing when it has lost the connection meanwhile', async () => {
    const b = await join();
    const { parts } = b.hub as unknown as { parts: { sync: { lose(): void; regain(): void } } };
    await b.cache.getOrSet('k', async () => {
      parts.sync.lose();
      parts.sync.regain();
      return Promise.resolve(1);
    });
    await b.hub.drain();
    expect(await b.cache.getEntry('k')).toMatchObject({ source: 'L2' });
  });

  it('makes later what failed while a level was away, the last write of a key', async () => {
    const chaos = new ChaosTier(new MemoryTier({ clock }));
    cluster = new Cluster(clock, [chaos]);
    const [a, b] = [await join(), await join()];
    await a.cache.set('deleted', 1);
    await b.cache.get('deleted');
    chaos.plan = () => ({ kind: 'error' });
    expect(await a.cache.delete('deleted')).toEqual({ acknowledged: false });
    expect(await a.cache.set('written', 1)).toEqual({ acknowledged: false });
    expect(await a.cache.set('written', 2)).toEqual({ acknowledged: false });
    expect(await a.cache.get('written')).toBe(2);
    expect(await b.cache.get('deleted')).toBeUndefined();
    chaos.plan = () => ({ kind: 'none' });
    clock.advance(1_500);
    const { parts } = a.hub as unknown as { parts: { recovery: { retry(): void; size: number } } };
    parts.recovery.retry();
    await a.hub.drain();
    expect(parts.recovery.size).toBe(0);
    expect((await chaos.get('orders:deleted')).entry).toBeUndefined();
    expect((await chaos.get('orders:written')).entry?.value).toBe(2);
    expect(await b.cache.get('written')).toBe(2);
  });

  it('keeps a late write from standing above what another process wrote since', async () => {
    const chaos = new ChaosTier(new MemoryTier({ clock }));
    cluster = new Cluster(clock, [chaos]);
    const a = await join();
    chaos.plan = () => ({ kind: 'error' });
    await a.cache.set('k', 'old');
    chaos.plan = () => ({ kind: 'none' });
    clock.advance(1_500);
    const b = await join();
    await b.cache.set('k', 'new');
    expect(await a.cache.get('k')).toBeUndefined();
    const { parts } = a.hub as unknown as { parts: { recovery: { retry(): void; size: number } } };
    parts.recovery.retry();
    await a.hub.drain();
    expect((await chaos.get('orders:k')).entry?.value).toBe('new');
    expect(await a.cache.get('k')).toBe('new');
  });

  it.each(['delay', 'error', 'hang', 'partial'] as const)(
    'answers correctly with levels that %s at random, and recovers',
    async (kind) => {
      const chaos = [1, 2].map(() => new ChaosTier(new MemoryTier({ clock })));
      cluster = new Cluster(clock, chaos);
      const timeoutMs = 5;
      const hubs = await Promise.all(
        [1, 2].map(() =>
          cluster.join({
            tiers: chaos.map((tier) => ({ tier, timeoutMs, breakerFailures: 1_000 })),
          }),
        ),
      );
      const caches = hubs.map((hub) => hub.cache<number>('orders', { ...options, ttlMs: 60_000 }));
      const truth = new Map<string, number>();
      let seed = 7;
      const random = (below: number): number => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
        return (seed >>> 8) % below;
      };
      for (const tier of chaos) {
        tier.plan = () =>
          random(10) === 0 ? (kind === 'delay' ? { kind, ms: 2 } : { kind }) : { kind: 'none' };
      }
      for (let step = 0; step < 150; step += 1) {
        const key = `k${random(5)}`;
        const cache = caches[random(2)] as (typeof caches)[number];
        if (random(4) === 0) {
          truth.set(key, step);
          const { acknowledged } = await cache.delete(key);
          if (acknowledged) {
            const reads = caches.map((each) => each.getOrSet(key, () => truth.get(key) ?? -1));
            expect(await Promise.all(reads)).toEqual([step, step]);
          }
        } else {
          const value = await cache.getOrSet(key, () => truth.get(key) ?? -1);
          expect(value).toBeLessThanOrEqual(truth.get(key) ?? -1);
        }
      }
      for (const tier of chaos) tier.plan = () => ({ kind: 'none' });
      for (const hub of hubs) {
        const { parts } = hub as unknown as {
          parts: { recovery: { retry(): void; size: number } };
        };
        while (parts.recovery.size > 0) {
          parts.recovery.retry();
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      }
      for (const [key, value] of truth) {
        for (const cache of caches) expect(await cache.getOrSet(key, () => value)).toBe(value);
      }
    },
    20_000,
  );

  it('loads in the time of the loader and one time-out while a level hangs, then without it', async () => {
    const chaos = new ChaosTier(new MemoryTier({ clock }));
    cluster = new Cluster(clock, [chaos]);
    const hub = await cluster.join({ tiers: [{ tier: chaos, timeoutMs: 30, breakerFailures: 2 }] });
    const cache = hub.cache<number>('orders', options);
    chaos.plan = () => ({ kind: 'hang' });
    const startedMs = performance.now();
    expect(await cache.getOrSet('a', () => 1)).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    await cache.getOrSet('b', () => 1);
    expect(hub.levels()).toMatchObject([{ level: 'L2', state: 'open' }]);
    const { calls } = chaos;
    await cache.getOrSet('c', () => 1);
    expect(chaos.calls).toBe(calls);
    chaos.plan = () => ({ kind: 'none' });
    clock.advance(1_000);
    await cache.getOrSet('d', () => 1);
    await hub.drain();
    expect(hub.levels()).toMatchObject([{ state: 'closed', sets: 1 }]);
  });
});
