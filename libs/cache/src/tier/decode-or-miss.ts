import type { Clock } from '#libs/core';
import type { CacheEntry } from '../entry/cache-entry.js';
import type { EntryCodec } from '../entry/entry-codec.js';
import type { TierRead } from './cache-tier.js';
import { cacheFault } from '../statistics/cache.channels.js';

/**
 * The entry in `bytes`, unless it has ended even as a stale one; undefined, and an event, when they
 * cannot be read.
 */
export function decodeOrMiss(
  tier: string,
  { codec, clock }: { readonly codec: EntryCodec; readonly clock: Clock },
  key: string,
  bytes: Buffer | undefined,
): CacheEntry | undefined | Promise<CacheEntry | undefined> {
  if (bytes === undefined) return undefined;
  const alive = (entry: CacheEntry): CacheEntry | undefined =>
    entry.staleUntilMs > clock.nowMs() ? entry : undefined;
  const unreadable = (error: unknown): undefined => {
    cacheFault.publish(() => ({ part: tier, operation: 'decode', error }));
    return undefined;
  };
  try {
    const entry = codec.decode(key, bytes);
    return isPending(entry) ? entry.then(alive, unreadable) : alive(entry);
  } catch (error) {
    return unreadable(error);
  }
}

/** What a level has of a key while a value is being decompressed. */
export interface Read {
  readonly entry: CacheEntry | undefined | Promise<CacheEntry | undefined>;
  readonly fence: string;
  readonly bytes?: number | undefined;
}

/** The reads of many keys; without a promise each, unless an entry is compressed. */
export async function readsOf(reads: readonly Read[]): Promise<TierRead[]> {
  if (!reads.some(({ entry }) => isPending(entry))) return reads as TierRead[];
  return Promise.all(reads.map(async (read) => ({ ...read, entry: await read.entry })));
}

/** Cheaper than asking V8, and promises of Node are of another realm in tests. */
function isPending<Entry extends object>(
  entry: Entry | undefined | Promise<Entry | undefined>,
): entry is Promise<Entry | undefined> {
  return entry !== undefined && 'then' in entry;
}
