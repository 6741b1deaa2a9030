import type { Keyv } from 'keyv';
import type { Clock } from '#libs/core';
import type { CodecCounts } from '../entry/codec-counts.js';
import type { EntryCodec } from '../entry/entry-codec.js';
import { assertKeyvMajor } from '../facade/keyv-major.js';
import { cacheFault } from '../statistics/cache.channels.js';
import { CacheTier, DEFAULT_FENCE_MS, type TierRead, type TierWrite } from './cache-tier.js';
import { decodeOrMiss, readsOf } from './decode-or-miss.js';
import { newFence } from './fence.js';

/** No fence and no base64 has it. */
const AFTER_FENCE = '|';

export interface KeyvTierOptions {
  /** A Keyv 5 with any store. It is told to throw its errors, and stays the caller's to close. */
  readonly keyv: Keyv;
  readonly codec: EntryCodec;
  readonly clock: Clock;
  /** Default `keyv`. */
  readonly name?: string;
  readonly fenceMs?: number;
}

/**
 * Any store that Keyv 5 speaks to. Keyv can neither compare and store in one step nor delete what it
 * has compared, so every entry is stored with the fence that it was made under, and counts only while
 * that is the fence of its key: what a slow writer stores after a deletion, here or in another
 * process, is never read. The writer looks at the fence again afterwards and deletes what is outdated.
 *
 * Not atomic all the same: when a writer ends between storing and looking, its outdated entry counts
 * again once the fence is forgotten, after `fenceMs`. Take `RedisTier` or `PostgresTier` where even
 * that matters. Keyv has no pipeline for writes: many are as many calls.
 */
export class KeyvTier extends CacheTier {
  readonly name: string;
  readonly isAtomic = false;
  readonly fenceMs: number;
  readonly clock: Clock;
  readonly codec: EntryCodec;
  private readonly keyv: Keyv;

  constructor(options: KeyvTierOptions) {
    super();
    assertKeyvMajor();
    this.keyv = options.keyv;
    this.codec = options.codec.counting();
    this.clock = options.clock;
    this.name = options.name ?? 'keyv';
    this.fenceMs = options.fenceMs ?? DEFAULT_FENCE_MS;
    this.keyv.throwOnErrors = true;
    // Without a listener an error of the connection would end the process.
    this.keyv.on('error', (error: unknown) => {
      cacheFault.publish(() => ({ part: this.name, operation: 'connection', error }));
    });
  }

  override get traffic(): CodecCounts {
    return this.codec.counts;
  }

  async get(key: string): Promise<TierRead> {
    const [read] = await this.getMany([key]);
    return read as TierRead;
  }

  async getMany(keys: readonly string[]): Promise<TierRead[]> {
    if (keys.length === 0) return [];
    const found = await this.keyv.getMany<string>(keys.flatMap((key) => [key, fenceKey(key)]));
    return readsOf(
      keys.map((key, index) => {
        // Keyv gives undefined or null for what is not there, by store.
        const fence = found[index * 2 + 1] ?? '';
        const bytes = bytesUnder(fence, found[index * 2] ?? undefined);
        const entry = decodeOrMiss(this.name, this, key, bytes);
        return { entry, fence, bytes: bytes?.length };
      }),
    );
  }

  async set({ key, entry, fence }: TierWrite): Promise<boolean> {
    const nowMs = this.clock.nowMs();
    const lifeMs = Math.max(1, Math.ceil(entry.staleUntilMs - nowMs));
    const before = fence ?? newFence(nowMs);
    const bytes = await this.codec.encode(key, entry);
    const text = `${before}${AFTER_FENCE}${bytes.toString('base64')}`;
    if (fence === undefined) await this.keyv.set(fenceKey(key), before, this.fenceMs);
    else if ((await this.fenceOf(key)) !== fence) return false;
    await this.keyv.set(key, text, lifeMs);
    if ((await this.fenceOf(key)) === before) return true;
    await this.keyv.delete(key);
    return false;
  }

  setMany(writes: readonly TierWrite[]): Promise<boolean[]> {
    return Promise.all(writes.map((write) => this.set(write)));
  }

  async delete(key: string): Promise<boolean> {
    await this.keyv.set(fenceKey(key), newFence(this.clock.nowMs()), this.fenceMs);
    return this.keyv.delete(key);
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    const deleted = await Promise.all(keys.map((key) => this.delete(key)));
    return deleted.filter(Boolean).length;
  }

  /** Removes the fences too: loads that are under way may store afterwards. */
  async clear(): Promise<void> {
    await this.keyv.clear();
  }

  private async fenceOf(key: string): Promise<string> {
    return (await this.keyv.get<string>(fenceKey(key))) ?? '';
  }
}

function fenceKey(key: string): string {
  return `${key}:f`;
}

/** What is stored, if it was made under the fence; one that is forgotten tells nothing. */
function bytesUnder(fence: string, text: string | undefined): Buffer | undefined {
  const fenceEnd = text?.indexOf(AFTER_FENCE) ?? -1;
  if (text === undefined || fenceEnd < 0) return undefined;
  if (fence !== '' && fence !== text.slice(0, fenceEnd)) return undefined;
  return Buffer.from(text.slice(fenceEnd + 1), 'base64');
}
