import { MemoryStore, type EvictionPolicyFactory } from '#libs/cache';
import type { Trace } from './trace.js';

export interface Replay {
  readonly misses: number;
  /** Misses within each phase of the trace. */
  readonly phaseMisses: readonly number[];
}

/**
 * Sends a trace through a `MemoryStore` of so many entries: each miss is stored, as a read-through
 * cache would. Deterministic: the hashes have a fixed seed.
 */
export function replay(trace: Trace, maxItems: number, policy: EvictionPolicyFactory): Replay {
  const store = new MemoryStore<true>({
    maxItems,
    maxBytes: Number.POSITIVE_INFINITY,
    policy,
    hashSeed: 1,
  });
  const names = namesOf(trace);
  const entry = { weightBytes: 0 };
  const phaseMisses: number[] = [];
  let misses = 0;
  for (const [index, { start }] of trace.phases.entries()) {
    const end = trace.phases[index + 1]?.start ?? trace.keys.length;
    const before = misses;
    for (let at = start; at < end; at += 1) {
      const name = names[trace.keys[at] as number] as string;
      if (store.get(name) !== undefined) continue;
      misses += 1;
      store.set(name, true, entry);
    }
    phaseMisses.push(misses - before);
  }
  return { misses, phaseMisses };
}

const namesByTrace = new WeakMap<Trace, readonly string[]>();

/** The same strings for every replay of a trace, so that each is hashed and stored once. */
function namesOf(trace: Trace): readonly string[] {
  let names = namesByTrace.get(trace);
  if (names === undefined) {
    names = Array.from({ length: trace.distinct }, (_, key) => `key:${key}`);
    namesByTrace.set(trace, names);
  }
  return names;
}
