import type { Clock } from '#libs/core';
import type { CacheEntry } from '../entry/cache-entry.js';
import type { EntryCodec } from '../entry/entry-codec.js';
import { cacheFault } from '../statistics/cache.channels.js';

/**
 * The entry in `bytes`, unless it has ended even as a stale one; undefined, and an event, when they
 * cannot be read.
 */
export async function decodeOrMiss(
  tier: string,
  { codec, clock }: { readonly codec: EntryCodec; readonly clock: Clock },
  key: string,
  bytes: Buffer | undefined,
): Promise<CacheEntry | undefined> {
  if (bytes === undefined) return undefined;
  try {
    const entry = await codec.decode(key, bytes);
    return entry.staleUntilMs > clock.nowMs() ? entry : undefined;
  } catch (error) {
    cacheFault.publish(() => ({ part: tier, operation: 'decode', error }));
    return undefined;
  }
}
