import type { Clock } from '#libs/core';
import type { EvictionPolicyFactory, PolicyDescription } from './eviction-policy.js';

/** Why an entry left a store. A replaced value is not a removal. */
export type RemovalReason = 'size' | 'expired' | 'deleted';

/** Told of each entry that leaves, after it has left. It must not throw. */
export type RemovalListener<Value> = (key: string, value: Value, reason: RemovalReason) => void;

/** How a `MemoryStore` is bounded, and what it runs on. */
export interface MemoryStoreOptions<Value> {
  /** Entries at most; no bound by default. */
  readonly maxItems?: number;
  /** Bytes at most, keys and the store's own overhead included; 64 MiB by default. */
  readonly maxBytes?: number;
  /** Decides what leaves; S3-FIFO by default. */
  readonly policy?: EvictionPolicyFactory;
  /** Bytes of a value on the heap; `sizeOf` by default. Not asked when `set` is told the bytes. */
  readonly sizer?: (value: Value) => number;
  /** The clock that expiry is judged by; the machine's by default. */
  readonly clock?: Clock;
  /** How far a hit may see the clock behind, in milliseconds; 10 by default, 0 reads it each time. */
  readonly clockResolutionMs?: number;
  /** Seed of the hashes of keys; by default one that each process draws, so that nobody knows it. */
  readonly hashSeed?: number;
}

/** Life and size of one entry. Of the two times the absolute one wins. */
export interface MemorySetOptions {
  readonly ttlMs?: number | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs?: number | undefined;
  /** Bytes of the value, if they are known; the key and the overhead are added. */
  readonly weightBytes?: number | undefined;
}

/** An entry as it lies in the store. */
export interface MemoryEntry<Value> {
  readonly value: Value;
  /** Milliseconds since the Unix epoch, `Infinity` without expiry. */
  readonly expiresAtMs: number;
  /** With key and overhead. */
  readonly weightBytes: number;
}

/** What a store holds and has done since it was made. */
export interface MemoryStoreStats {
  readonly items: number;
  readonly bytes: number;
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly hits: number;
  readonly misses: number;
  /** Entries and values that were put in, replacements included. */
  readonly sets: number;
  /** Entries that were too large for the whole store. */
  readonly rejected: number;
  readonly removed: Readonly<Record<RemovalReason, number>>;
  readonly policy: string;
  readonly policyState: PolicyDescription;
}
