import { afterEach, describe, expect, it } from '@jest/globals';
import { LeaseStore } from '../lease/lease-store.js';
import { Cluster } from '../testing/cluster.js';
import type { CacheOptions } from './cache.options.js';

/** Leases that end only when they are given back. */
class HeldLeases extends LeaseStore {
  readonly name = 'held-leases';
  readonly owners = new Map<string, string>();

  acquire(key: string, owner: string): Promise<boolean> {
    if (this.owners.has(key)) return Promise.resolve(false);
    this.owners.set(key, owner);
    return Promise.resolve(true);
  }

  release(key: string, owner: string): Promise<void> {
    if (this.owners.get(key) === owner) this.owners.delete(key);
    return Promise.resolve();
  }
}

describe('a lease', () => {
  const cluster = new Cluster();
  afterEach(() => cluster.close());

  async function twoCaches(leases: LeaseStore, options: CacheOptions<string>) {
    const hubs = [await cluster.join({ leases }), await cluster.join({ leases })] as const;
    const lease = { ...options, lease: true };
    return hubs.map((hub) => hub.cache<string>('leased', lease));
  }

  it('is given back when its loader outlives the hard time-out', async () => {
    const leases = new HeldLeases();
    const [first, second] = await twoCaches(leases, { hardTimeoutMs: 50 });
    let end = (_value: string): void => undefined;
    const never = new Promise<string>((resolve) => (end = resolve));
    await expect(first?.getOrSet('k', () => never)).rejects.toThrow('not loaded within 50 ms');
    expect(await second?.getOrSet('k', () => 'second')).toBe('second');
    end('first');
  });

  it('of somebody who is gone keeps nobody waiting for longer than a load may take', async () => {
    const leases = new HeldLeases();
    const [cache] = await twoCaches(leases, { hardTimeoutMs: 50 });
    leases.owners.set('leased:orphan', 'a process that has died');
    expect(await cache?.getOrSet('orphan', () => 'loaded')).toBe('loaded');
  });
});
