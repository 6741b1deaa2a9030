import { createHash } from 'node:crypto';
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
import { decodeOrMiss } from './decode-or-miss.js';
import type { DiskStore } from './disk.store.js';
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

const LENGTH_BYTES = 2;

/**
 * Files of this machine as a level: slower than memory, larger, and there after a restart. What
 * cannot be read is a miss, and reported. Processes of one machine can share the directory; those of
 * several machines cannot: a key that one deletes stays on the disks of the others, so use it there
 * for what is invalidated by tags, which are checked on each read, or not at all.
 */
export class DiskTier extends CacheTier {
  readonly name: string;
  /** Between processes, comparing and renaming are two steps. */
  readonly isAtomic = false;
  readonly fenceMs: number;
  private readonly store: DiskStore;
  private readonly codec: EntryCodec;
  private readonly clock: Clock;
  private sweptSoFar = 0;

  constructor(options: DiskTierOptions) {
    super();
    this.store = options.store;
    this.codec = options.codec.counting();
    this.clock = options.clock;
    this.fenceMs = options.fenceMs ?? DEFAULT_FENCE_MS;
    this.name = options.name ?? 'disk';
  }

  override get traffic(): CodecCounts {
    return this.codec.counts;
  }

  async get(key: string): Promise<TierRead> {
    const { codec, clock } = this;
    const { fence, content } = split(await this.store.read(nameOf(key)));
    if (content === undefined) return { entry: undefined, fence };
    const entry = await decodeOrMiss(this.name, { codec, clock }, key, content);
    return entry === undefined ? { entry, fence } : { entry, fence, bytes: content.length };
  }

  getMany(keys: readonly string[]): Promise<TierRead[]> {
    return Promise.all(keys.map((key) => this.get(key)));
  }

  async set(write: TierWrite): Promise<boolean> {
    const { key, entry } = write;
    const name = nameOf(key);
    const bytes = await this.codec.encode(key, entry);
    return this.store.exclusively(name, async () => {
      const { fence } = split(await this.store.read(name));
      if (write.fence !== undefined && write.fence !== fence) return false;
      const kept = write.fence ?? newFence(this.clock.nowMs());
      // What is written here outlives its fence; with it goes what the fence was there to refuse.
      const endMs = kept === '' ? entry.staleUntilMs : this.endOfFence(entry.staleUntilMs);
      await this.store.write(name, [prefixOf(kept), bytes], endMs);
      return true;
    });
  }

  setMany(writes: readonly TierWrite[]): Promise<boolean[]> {
    return Promise.all(writes.map((write) => this.set(write)));
  }

  delete(key: string): Promise<boolean> {
    const name = nameOf(key);
    return this.store.exclusively(name, async () => {
      const { content } = split(await this.store.read(name));
      const nowMs = this.clock.nowMs();
      await this.store.write(name, [prefixOf(newFence(nowMs))], nowMs + this.fenceMs);
      return content !== undefined;
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

  private endOfFence(endMs: number): number {
    return Math.max(endMs, this.clock.nowMs() + this.fenceMs);
  }
}

/** 256 bits, so that two keys never share a file. */
function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

function prefixOf(fence: string): Buffer {
  const text = Buffer.from(fence);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16LE(text.length, 0);
  return Buffer.concat([length, text]);
}

/** The fence, and the bytes of the entry; none where a deletion is remembered. */
function split(file: Buffer | undefined): { fence: string; content: Buffer | undefined } {
  if (file === undefined || file.length < LENGTH_BYTES) return { fence: '', content: undefined };
  const start = LENGTH_BYTES + file.readUInt16LE(0);
  if (start > file.length) return { fence: '', content: undefined };
  const content = file.subarray(start);
  return {
    fence: file.toString('utf8', LENGTH_BYTES, start),
    content: content.length === 0 ? undefined : content,
  };
}
