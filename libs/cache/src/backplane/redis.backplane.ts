import type { Redis } from 'ioredis';
import { cacheFault } from '../statistics/cache.channels.js';
import { Backplane, type BackplaneEvents } from './backplane.js';

export interface RedisBackplaneOptions {
  /** Publishes. Stays the caller's to close; a second connection like it is opened to listen. */
  readonly redis: Redis;
  /** Nodes with the same one hear each other. Default `cache-bus`. */
  readonly channel?: string;
}

/** Redis pub/sub. Redis itself counts who receives a publication. */
export class RedisBackplane extends Backplane {
  readonly name = 'redis-backplane';
  readonly maxMessageBytes = 64 * 1024;
  private readonly channel: string;
  private listener: Redis | undefined;

  constructor(private readonly options: RedisBackplaneOptions) {
    super();
    this.channel = options.channel ?? 'cache-bus';
  }

  async start(nodeId: string, events: BackplaneEvents): Promise<void> {
    // It subscribes again by itself, so that the node learns when that is done.
    const listener = this.options.redis.duplicate({
      autoResubscribe: false,
      enableOfflineQueue: false,
      lazyConnect: true,
      maxRetriesPerRequest: null,
      retryStrategy: (attempt) => Math.min(50 * attempt, 1_000),
    });
    this.listener = listener;
    listener.on('message', (_, text) => events.onMessage(text));
    listener.on('error', (error: unknown) => {
      cacheFault.publish(() => ({ part: this.name, operation: 'connection', error }));
    });
    listener.on('close', () => events.onState(false));
    await new Promise<void>((resolve) => {
      listener.on('ready', () => {
        listener.subscribe(this.channel, `${this.channel}:${nodeId}`).then(
          () => {
            events.onState(true);
            return resolve();
          },
          (error: unknown) => {
            // The connection ended at once; the next one tries again.
            cacheFault.publish(() => ({ part: this.name, operation: 'subscribe', error }));
          },
        );
      });
      // A first attempt that fails is repeated like the later ones; the node starts without.
      listener.connect().catch(() => resolve());
    });
  }

  publish(text: string): Promise<number> {
    return this.options.redis.publish(this.channel, text);
  }

  async reply(nodeId: string, text: string): Promise<void> {
    await this.options.redis.publish(`${this.channel}:${nodeId}`, text);
  }

  reconnect(): void {
    this.listener?.disconnect(true);
  }

  close(): Promise<void> {
    this.listener?.disconnect();
    this.listener = undefined;
    return Promise.resolve();
  }
}
