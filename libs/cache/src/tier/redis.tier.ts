import type { Redis } from 'ioredis';
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
import { decodeOrMiss, type Read, readsOf } from './decode-or-miss.js';
import { fenceTimeMs, newFence } from './fence.js';
import { boundedKey } from './key-name.js';
import { DROP, FILL } from './redis.scripts.js';

const SCAN_COUNT = 500;

export interface RedisTierOptions {
  /** Stays the caller's to close. `enableOfflineQueue: false` lets calls fail while it is away. */
  readonly redis: Redis;
  readonly codec: EntryCodec;
  readonly clock: Clock;
  /** In front of every key. Default `cache:`. */
  readonly prefix?: string;
  readonly fenceMs?: number;
  /** Default `redis`. */
  readonly name?: string;
}

interface Scripts {
  cacheFill(key: string, start: Buffer, whole: Buffer, ms: number): Promise<number>;
  cacheDrop(key: string, fence: Buffer, ms: number): Promise<number>;
  set(key: string, whole: Buffer, px: 'PX', ms: number): Promise<'OK'>;
}

/**
 * Redis or Valkey. A key holds its fence and its entry, so that reads of many keys are one MGET of as
 * many, and writes one pipeline. What was written or deleted stays for `fenceMs` at least, also when
 * its entry has ended before.
 */
export class RedisTier extends CacheTier {
  readonly name: string;
  readonly isAtomic = true;
  readonly fenceMs: number;
  private readonly redis: Redis & Scripts;
  readonly codec: EntryCodec;
  readonly clock: Clock;
  private readonly prefix: string;

  constructor(options: RedisTierOptions) {
    super();
    this.name = options.name ?? 'redis';
    this.fenceMs = options.fenceMs ?? DEFAULT_FENCE_MS;
    this.codec = options.codec.counting();
    this.clock = options.clock;
    this.prefix = options.prefix ?? 'cache:';
    const { redis } = options;
    redis.defineCommand('cacheFill', { numberOfKeys: 1, lua: FILL });
    redis.defineCommand('cacheDrop', { numberOfKeys: 1, lua: DROP });
    this.redis = redis as Redis & Scripts;
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
    const replies = await this.redis.mgetBuffer(keys.map((key) => this.nameOf(key)));
    return readsOf(keys.map((key, index) => this.readOf(key, replies[index] ?? undefined)));
  }

  async set(write: TierWrite): Promise<boolean> {
    const [stored] = await this.setMany([write]);
    return stored as boolean;
  }

  async setMany(writes: readonly TierWrite[]): Promise<boolean[]> {
    const encoded = await this.codec.encodeAll(writes);
    const nowMs = this.clock.nowMs();
    const replies = await this.pipelined(writes, ({ key, entry, fence }, index, redis) => {
      const name = this.nameOf(key);
      const start = fenceBytes(fence ?? newFence(nowMs));
      const whole = Buffer.concat([start, encoded[index] as Buffer]);
      // Redis refuses a life of 0; an entry that has just ended is stored for one moment more.
      const lifeMs = Math.max(1, Math.ceil(entry.staleUntilMs - nowMs));
      if (fence === undefined) return redis.set(name, whole, 'PX', Math.max(lifeMs, this.fenceMs));
      const fenceLeftMs = Math.ceil(fenceTimeMs(fence) + this.fenceMs - nowMs);
      return redis.cacheFill(name, start, whole, Math.max(lifeMs, fenceLeftMs));
    });
    return replies.map((reply) => reply === 1 || reply === 'OK');
  }

  async delete(key: string): Promise<boolean> {
    return (await this.deleteMany([key])) === 1;
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    const nowMs = this.clock.nowMs();
    const replies = await this.pipelined(keys, (key, _, redis) =>
      redis.cacheDrop(this.nameOf(key), fenceBytes(newFence(nowMs)), this.fenceMs),
    );
    return replies.reduce<number>((sum, reply) => sum + Number(reply), 0);
  }

  /** Walks the keys under the prefix, and leaves fences, so that a load under way cannot store. */
  async clear(): Promise<void> {
    const match = `${this.prefix.replaceAll(/[*?[\]\\]/g, String.raw`\$&`)}{*`;
    let cursor = '0';
    do {
      const [next, names] = await this.redis.scan(cursor, 'MATCH', match, 'COUNT', SCAN_COUNT);
      cursor = next;
      await Promise.all(
        names
          .filter((name) => name.endsWith('}'))
          .map((name) => this.redis.cacheDrop(name, fenceBytes(newFence()), this.fenceMs)),
      );
    } while (cursor !== '0');
  }

  /** Of the whole server, for Redis does not tell more exactly without walking over its keys. */
  override async usage(): Promise<TierUsage> {
    const text = await this.redis.info('memory');
    const figure = (name: string): number =>
      Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1]);
    const maxBytes = figure('maxmemory');
    return { bytes: figure('used_memory'), maxBytes: maxBytes > 0 ? maxBytes : undefined };
  }

  /** One call as it is; more of them in one pipeline. */
  private async pipelined<Item>(
    items: readonly Item[],
    send: (item: Item, index: number, redis: Scripts) => unknown,
  ): Promise<(number | string)[]> {
    if (items.length === 1) {
      return [(await send(items[0] as Item, 0, this.redis)) as number];
    }
    if (items.length === 0) return [];
    const pipeline = this.redis.pipeline();
    for (const [index, item] of items.entries()) send(item, index, pipeline as unknown as Scripts);
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, reply]) => {
      if (error !== null) throw error;
      return reply as number | string;
    });
  }

  private readOf(key: string, whole: Buffer | undefined): Read {
    if (whole === undefined) return { entry: undefined, fence: '' };
    const from = 1 + (whole[0] as number);
    const fence = from === 1 ? '' : whole.toString('latin1', 1, from);
    if (from === whole.length) return { entry: undefined, fence };
    const entry = decodeOrMiss(this.name, this, key, whole.subarray(from));
    return { entry, fence, bytes: whole.length - from };
  }

  private nameOf(key: string): string {
    return `${this.prefix}{${boundedKey(key)}}`;
  }
}

/** The fence after its length, as a key begins. */
function fenceBytes(fence: string): Buffer {
  return Buffer.from(String.fromCharCode(fence.length) + fence, 'latin1');
}
