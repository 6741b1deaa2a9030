import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { messageOf } from '#libs/core';
import type { Grant, Take } from '../gcra/held-bucket.js';
import { bucketName, RateLimitStore } from './rate-limit-store.js';
import { TAKE_SCRIPT } from './redis.script.js';

const RECONNECT_AFTER_MS = 200;
const SHA = createHash('sha1').update(TAKE_SCRIPT).digest('hex');

export interface RedisRateLimitStoreOptions {
  readonly url: string;
  /** First part of every key. */
  readonly prefix: string;
  /** Told of failures of the connection. */
  readonly onError: (error: unknown) => void;
}

/** Buckets in Redis, each taken from by a script that runs as one step, by the clock of the server. */
export class RedisRateLimitStore extends RateLimitStore {
  readonly name = 'redis';
  private readonly redis: Redis;
  private readonly prefix: string;

  constructor({ url, prefix, onError }: RedisRateLimitStoreOptions) {
    super();
    this.prefix = prefix;
    // Fails at once while Redis is away, and connects again for ever. A connection is used as soon as it
    // is there, without questions of the client's own: whether it is answered, `reset` looks after.
    this.redis = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      enableAutoPipelining: true,
      enableReadyCheck: false,
      disableClientInfo: true,
      connectTimeout: 5_000,
      disconnectTimeout: 200,
      retryStrategy: () => RECONNECT_AFTER_MS,
    });
    this.redis.on('error', onError);
  }

  take(takes: readonly Take[]): Promise<readonly Grant[]> {
    return Promise.all(takes.map((one) => this.takeOne(one)));
  }

  async probe(): Promise<void> {
    if (this.redis.status === 'wait') await this.redis.connect();
    await this.redis.ping();
  }

  reset(): void {
    if (this.redis.status === 'ready') this.redis.disconnect(true);
  }

  close(): Promise<void> {
    this.redis.disconnect();
    return Promise.resolve();
  }

  private async takeOne(one: Take): Promise<Grant> {
    const { policy } = one;
    // The braces keep a bucket on one node of a cluster, whatever is kept beside it one day.
    const key = `${this.prefix}:rate:{${bucketName(one)}}`;
    const { cellUnits, capacityUnits, refill } = policy;
    const numbers = [cellUnits, capacityUnits, refill, one.need, one.want, one.part];
    const settled = [one.settledEpoch, one.settled, one.returned, one.debt];
    const answer = await this.run(key, [...numbers, ...settled]);
    const [granted = 0, reserve = 0, epoch = 0, available = 0, waitUs = 0] = answer;
    return { granted, reserve, epoch, available, waitUs };
  }

  private async run(key: string, values: readonly number[]): Promise<number[]> {
    try {
      return (await this.redis.evalsha(SHA, 1, key, ...values)) as number[];
    } catch (error) {
      // A server that was started anew has forgotten its scripts.
      if (!messageOf(error, '').startsWith('NOSCRIPT')) throw error;
      return (await this.redis.eval(TAKE_SCRIPT, 1, key, ...values)) as number[];
    }
  }
}
