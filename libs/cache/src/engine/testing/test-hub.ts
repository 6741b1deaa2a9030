import { ManualClock } from '#libs/core';
import type { Cache } from '../cache.js';
import { CacheHub } from '../cache-hub.js';
import type { CacheOptions } from '../cache.options.js';

export const clock = new ManualClock();

/** The hub of the test that runs; `renewHub` puts another one in its place. */
export let hub = new CacheHub({ clock, clockResolutionMs: 0 });
let made = 0;

/** A cache of its own name, whose entries live exactly a second unless it is said otherwise. */
export function cacheOf<Value>(options: CacheOptions<Value> = {}): Cache<Value> {
  made += 1;
  return hub.cache<Value>(`test-${made}`, { jitter: 0, ttlMs: 1_000, ...options });
}

/** For `afterEach`. */
export async function renewHub(): Promise<void> {
  await hub.close();
  hub = new CacheHub({ clock, clockResolutionMs: 0 });
}

/** A loader that a test lets go when it wants. */
export function gatedLoad<Value>() {
  const calls: { resolve: (value: Value) => void; reject: (error: unknown) => void }[] = [];
  const load = (): Promise<Value> =>
    new Promise((resolve, reject) => calls.push({ resolve, reject }));
  return { calls, load };
}

/** Lets go on what waits for nothing but its turn. */
export async function turn(): Promise<void> {
  for (let index = 0; index < 5; index += 1) await new Promise((resolve) => setImmediate(resolve));
}
