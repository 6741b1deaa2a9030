import { describe, expect, it } from '@jest/globals';
import { EvictionPolicyRegistry } from '../../l1/eviction-policy.registry.js';
import { MemoryStore } from '../../l1/memory-store.js';
import { evictionPolicyContract } from '../../l1/testing/eviction-policy.contract.js';
import { PolicySwitch } from './switchable-policy.js';

const registry = new EvictionPolicyRegistry();

evictionPolicyContract('switchable', new PolicySwitch('lfu', (name) => registry.get(name)).factory);

describe('a switchable policy', () => {
  it.each(registry.names)('takes entries over from s3-fifo to %s and back', (name) => {
    const policy = new PolicySwitch('s3-fifo', (wanted) => registry.get(wanted));
    const store = new MemoryStore<number>({ maxItems: 50, policy: policy.factory });
    const read = (from: number): void => {
      for (let key = from; key < from + 200; key += 1) {
        if (store.get(`key:${key % 90}`) === undefined) store.set(`key:${key % 90}`, key);
      }
    };
    read(0);
    for (const next of [name, 's3-fifo', name]) {
      const held = [...store.entries()].map(([key]) => key).sort();
      policy.switchTo(next);
      expect([...store.entries()].map(([key]) => key).sort()).toEqual(held);
      expect(store.stats().policy).toBe(next);
      read(37);
      expect(store.size).toBe(50);
    }
    store.resize({ maxItems: 5 });
    read(0);
    expect(store.size).toBe(5);
    expect(store.stats().policy).toBe(name);
    store.clear();
    read(0);
    expect(store.size).toBe(5);
  });

  it('rules several stores, and none that is gone', () => {
    const policy = new PolicySwitch('lru', (wanted) => registry.get(wanted));
    const stores = [1, 2].map(() => new MemoryStore<number>({ policy: policy.factory }));
    policy.switchTo('lfu');
    expect(stores.map((store) => store.stats().policy)).toEqual(['lfu', 'lfu']);
    expect(policy.describe()).toMatchObject({ inForce: 'lfu' });
    expect(() => policy.switchTo('magic')).toThrow(/magic/);
    expect(policy.name).toBe('lfu');
  });
});
