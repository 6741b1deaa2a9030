import { Redis } from 'ioredis';
import { HealthComponent, type HealthFinding } from '../health-component.js';

/** Sends PING to Redis over a connection of its own. */
export class RedisComponent extends HealthComponent {
  readonly name = 'redis';
  readonly required = false;
  private readonly client: Redis;

  constructor(url: string, timeoutMs: number) {
    super();
    this.client = new Redis(url, {
      lazyConnect: true,
      connectionName: 'pantheon-health',
      connectTimeout: timeoutMs,
      commandTimeout: timeoutMs,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => timeoutMs,
    });
    // The next check finds out; without a listener the error would end the process.
    this.client.on('error', () => undefined);
  }

  async check(): Promise<HealthFinding> {
    try {
      if (this.client.status === 'wait') await this.client.connect();
      await this.client.ping();
      return { healthy: true };
    } catch {
      return { healthy: false, code: 'REDIS_UNREACHABLE' };
    }
  }

  override close(): Promise<void> {
    this.client.disconnect();
    return Promise.resolve();
  }
}
