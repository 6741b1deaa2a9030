import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Clock } from '#libs/core';
import type { CodecCounts } from '../entry/codec-counts.js';
import type { EntryCodec } from '../entry/entry-codec.js';
import {
  CacheTier,
  DEFAULT_FENCE_MS,
  type TierRead,
  type TierUsage,
  type TierWrite,
} from './cache-tier.js';
import { cacheFault } from '../statistics/cache.channels.js';
import { decodeOrMiss } from './decode-or-miss.js';
import { type DiskStore, MARK } from './disk.store.js';
import { newFence } from './fence.js';

export interface DiskTierOptions {
  /** May be shared by several tiers. */
  readonly store: DiskStore;
  readonly codec: EntryCodec;
  readonly clock: Clock;
  readonly fenceMs?: number;
  /** Default `disk`. */
  readonly name?: string;
}

const CHECKSUM_BYTES = 4;

/**
 * Files of this machine as a level: slower than memory, larger, and there after a restart. What
 * cannot be read, or was cut off or changed, is a miss, reported and counted. Processes of one
 * machine can share the directory; those of several machines cannot: a key that one deletes stays on
 * the disks of the others, so use it there for what is invalidated by tags, which are checked on each
 * read, or not at all.
 *
 * Between processes, comparing a fence and renaming a file are two steps. So each entry is stored
 * with the fence that it was made under, and counts only while that is the fence of its key: what a
 * slow writer stores after another process has deleted the key is never read. The writer looks at the
 * fence again afterwards and removes what is outdated; if it ends before, the entry counts again when
 * the fence is forgotten, after `fenceMs`.
 */
export class DiskTier extends CacheTier {
  readonly name: string;
  readonly isAtomic = false;
  readonly fenceMs: number;
  private readonly store: DiskStore;
  readonly codec: EntryCodec;
  readonly clock: Clock;
  private sweptSoFar = 0;
  private corrupt = 0;

  constructor(options: DiskTierOptions) {
    super();
    this.store = options.store;
    this.codec = options.codec.counting();
    this.clock = options.clock;
    this.fenceMs = options.fenceMs ?? DEFAULT_FENCE_MS;
    this.name = options.name ?? 'disk';
  }

  override get traffic(): CodecCounts {
    const { counts } = this.codec;
    return { ...counts, undecodable: counts.undecodable + this.corrupt };
  }

  async get(key: string): Promise<TierRead> {
    const name = nameOf(key);
    const file = await this.store.read(name);
    // The fence after the entry: what is deleted between is not read.
    const fence = await this.fenceOf(name);
    if (file === undefined) return { entry: undefined, fence };
    const opened = unseal(file);
    if (opened === undefined) {
      this.corrupt += 1;
      const error = new Error(`the file of "${key}" is cut off or was changed`);
      cacheFault.publish(() => ({ part: this.name, operation: 'decode', error }));
      return { entry: undefined, fence };
    }
    const { content } = opened;
    // A fence that is forgotten tells nothing.
    if (fence !== '' && fence !== opened.fence) return { entry: undefined, fence };
    const entry = await decodeOrMiss(this.name, this, key, content);
    return entry === undefined ? { entry, fence } : { entry, fence, bytes: content.length };
  }

  getMany(keys: readonly string[]): Promise<TierRead[]> {
    return Promise.all(keys.map((key) => this.get(key)));
  }

  async set({ key, entry, fence }: TierWrite): Promise<boolean> {
    const name = nameOf(key);
    const content = await this.codec.encode(key, entry);
    return this.store.exclusively(name, async () => {
      if (fence !== undefined && fence !== (await this.fenceOf(name))) return false;
      const made = fence ?? (await this.raiseFence(name));
      await this.store.write(name, seal(made, content), entry.staleUntilMs);
      if ((await this.fenceOf(name)) === made) return true;
      await this.store.remove(name);
      return false;
    });
  }

  setMany(writes: readonly TierWrite[]): Promise<boolean[]> {
    return Promise.all(writes.map((write) => this.set(write)));
  }

  delete(key: string): Promise<boolean> {
    const name = nameOf(key);
    return this.store.exclusively(name, async () => {
      await this.raiseFence(name);
      return this.store.remove(name);
    });
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    const deleted = await Promise.all([...new Set(keys)].map((key) => this.delete(key)));
    return deleted.filter(Boolean).length;
  }

  clear(): Promise<void> {
    return this.store.clear();
  }

  override async sweep(): Promise<number> {
    const swept = await this.store.sweep();
    this.sweptSoFar += swept;
    return swept;
  }

  override get swept(): number {
    return this.sweptSoFar;
  }

  override usage(): Promise<TierUsage> {
    return Promise.resolve(this.store.usage);
  }

  private async fenceOf(name: string): Promise<string> {
    return (await this.store.read(name + MARK))?.toString('latin1') ?? '';
  }

  private async raiseFence(name: string): Promise<string> {
    const nowMs = this.clock.nowMs();
    const fence = newFence(nowMs);
    await this.store.write(name + MARK, [Buffer.from(fence, 'latin1')], nowMs + this.fenceMs);
    return fence;
  }
}

/** 256 bits, so that two keys never share a file. */
function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Checksum of the rest, length of the fence, fence, entry. */
function seal(fence: string, content: Buffer): Buffer[] {
  const head = Buffer.from(String.fromCharCode(fence.length) + fence, 'latin1');
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32LE(crc32(content, crc32(head)));
  return [checksum, head, content];
}

/** Undefined for what was not written like that. */
function unseal(file: Buffer): { fence: string; content: Buffer } | undefined {
  if (file.length <= CHECKSUM_BYTES) return undefined;
  const rest = file.subarray(CHECKSUM_BYTES);
  if (file.readUInt32LE(0) !== crc32(rest)) return undefined;
  const fenceEnd = 1 + (rest[0] as number);
  return { fence: rest.toString('latin1', 1, fenceEnd), content: rest.subarray(fenceEnd) };
}
