import { ManualClock } from '#libs/core';
import { EvictionPolicyRegistry } from '../eviction-policy.registry.js';
import { MemoryStore } from '../memory-store.js';
import type { MemoryStoreOptions } from '../memory-store.types.js';

export const registry = new EvictionPolicyRegistry();
export const clock = new ManualClock();

/** A store on the clock of the test, which it reads each time. */
export function storeOf<Value = unknown>(
  options: MemoryStoreOptions<Value> = {},
): MemoryStore<Value> {
  return new MemoryStore<Value>({ clock, clockResolutionMs: 0, hashSeed: 1, ...options });
}

export function fill(store: MemoryStore<unknown>, items: number, ttlMs?: number): void {
  for (let item = 0; item < items; item += 1) store.set(`key:${item}`, item, { ttlMs });
}
