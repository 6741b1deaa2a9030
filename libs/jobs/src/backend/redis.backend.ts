import type * as BullMq from 'bullmq';
import type { Redis, RedisOptions } from 'ioredis';
import {
  type BullProcessor,
  type BullQueue,
  type BullWorker,
  JobBackend,
  type WorkerTuning,
} from './job-backend.js';
import { workerOptions } from './worker-options.js';

export interface RedisJobBackendOptions {
  readonly url: string;
  readonly keyPrefix: string;
  /** Longest wait for an answer, and for a connection. */
  readonly timeoutMs: number;
  /** Errors of connections that nobody waits on. */
  readonly onError: (error: Error) => void;
}

const LONGEST_RECONNECT_DELAY_MS = 2_000;
const KEEP_ALIVE_MS = 10_000;

/**
 * Keeps jobs in Redis or Valkey. Callers share one connection whose commands time out; workers
 * share another, and each has one of its own to block on, whose commands wait for Redis to come
 * back, as BullMQ needs it.
 */
export class RedisJobBackend extends JobBackend {
  readonly kind = 'redis';
  private bullmq: typeof BullMq | undefined;
  private redisClass: typeof Redis | undefined;
  private readonly clients = new Set<Redis>();
  private forCallers: Redis | undefined;
  private forWorkers: Redis | undefined;
  private closed = false;

  constructor(private readonly options: RedisJobBackendOptions) {
    super();
  }

  async open(): Promise<void> {
    this.bullmq ??= await import('bullmq');
    this.redisClass ??= (await import('ioredis')).Redis;
    if (this.closed) throw new TypeError('The job backend has been closed.');
    this.forCallers ??= this.connect({
      commandTimeout: this.options.timeoutMs,
      maxRetriesPerRequest: 1,
    });
    await this.forCallers.ping();
  }

  createQueue(name: string): BullQueue {
    const { bullmq, forCallers } = this.opened();
    return new bullmq.Queue(name, {
      connection: forCallers,
      prefix: this.options.keyPrefix,
    });
  }

  createWorker(name: string, process: BullProcessor, tuning: WorkerTuning): BullWorker {
    const { bullmq } = this.opened();
    this.forWorkers ??= this.connect({ maxRetriesPerRequest: null });
    return new bullmq.Worker(name, process, {
      connection: this.forWorkers,
      prefix: this.options.keyPrefix,
      ...workerOptions(tuning),
    });
  }

  async knownQueues(current: readonly string[]): Promise<string[]> {
    const { forCallers } = this.opened();
    const key = `${this.options.keyPrefix}:queues`;
    if (current.length > 0) await forCallers.sadd(key, ...current);
    return (await forCallers.smembers(key)).sort();
  }

  close(): Promise<void> {
    this.closed = true;
    // Not QUIT, which a frozen server would never answer; nothing is under way any more.
    for (const client of this.clients) {
      if (client.status !== 'end') client.disconnect();
    }
    return Promise.resolve();
  }

  private connect(options: RedisOptions): Redis {
    const { redisClass: RedisClass } = this;
    if (RedisClass === undefined) throw new TypeError('The job backend has not been opened.');
    const client = new RedisClass(this.options.url, {
      connectTimeout: this.options.timeoutMs,
      keepAlive: KEEP_ALIVE_MS,
      retryStrategy: (times) => Math.min(50 * 2 ** times, LONGEST_RECONNECT_DELAY_MS),
      ...options,
    });
    return this.track(client);
  }

  /** Hears the errors of a client and of those that BullMQ makes from it, and can end them. */
  private track(client: Redis): Redis {
    client.on('error', this.options.onError);
    client.setMaxListeners(0);
    this.clients.add(client);
    const duplicate = client.duplicate.bind(client);
    client.duplicate = (override) => this.track(duplicate(override));
    return client;
  }

  private opened(): { bullmq: typeof BullMq; forCallers: Redis } {
    const { bullmq, forCallers } = this;
    if (bullmq === undefined || forCallers === undefined) {
      throw new TypeError('The job backend has not been opened.');
    }
    return { bullmq, forCallers };
  }
}
