import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { Keyv } from 'keyv';
import type { CacheEntry } from '../entry/cache-entry.js';
import { EntryCodec } from '../entry/entry-codec.js';
import { KeyvTier } from './keyv.tier.js';

const codec = new EntryCodec();

function tiersOn(store: Map<string, unknown>, clock: ManualClock): [KeyvTier, KeyvTier] {
  const tier = (): KeyvTier => new KeyvTier({ keyv: new Keyv({ store }), codec, clock });
  return [tier(), tier()];
}

describe('KeyvTier', () => {
  const entryOf = (value: unknown, nowMs: number): CacheEntry => ({
    value,
    createdMs: nowMs,
    expiresMs: nowMs + 60_000,
    staleUntilMs: nowMs + 60_000,
    loadMs: 1,
    tags: [],
    versions: [],
  });

  it('does not read what a slow writer of another process stores after a deletion', async () => {
    const clock = new ManualClock();
    const store = new Map<string, unknown>();
    const [tier, other] = tiersOn(store, clock);
    const { fence } = await tier.get('k');
    // The writer has compared the fence, and is interrupted while it stores.
    const write = store.set.bind(store);
    let interrupt: (() => Promise<void>) | undefined = async () => {
      interrupt = undefined;
      await other.delete('k');
    };
    let seen: unknown = 'not read';
    const interrupted = async (key: string, value: unknown): Promise<void> => {
      await interrupt?.();
      write(key, value);
      seen = (await other.get('k')).entry;
    };
    store.set = ((key: string, value: unknown) =>
      interrupt === undefined || key.endsWith(':f')
        ? write(key, value)
        : interrupted(key, value)) as unknown as typeof store.set;
    expect(await tier.set({ key: 'k', entry: entryOf('outdated', clock.nowMs()), fence })).toBe(
      false,
    );
    expect(seen).toBeUndefined();
    expect((await other.get('k')).entry).toBeUndefined();
  });

  it('reads what was written when its fence is forgotten', async () => {
    const clock = new ManualClock();
    const [tier, other] = tiersOn(new Map(), clock);
    await tier.set({ key: 'k', entry: entryOf('written', clock.nowMs()) });
    await (tier as unknown as { keyv: Keyv }).keyv.delete('k:f');
    expect(await other.get('k')).toMatchObject({ entry: { value: 'written' }, fence: '' });
  });
});
