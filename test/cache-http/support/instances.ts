import { Redis } from 'ioredis';
import { CacheHub } from '#libs/cache';
import { startTestApi, type TestApi } from '../../support/app.js';
import { cloneTemplate } from '../../support/database.js';
import { freePort, startRedisServer, type TestRedis } from '../../support/redis-server.js';
import { PATIENT } from './patient.js';

/** Instances of the API on a database and a Redis of their own, which may be away for a while. */
export class Instances {
  private apis: TestApi[] = [];

  private constructor(
    private readonly database: Awaited<ReturnType<typeof cloneTemplate>>,
    private readonly redisPort: number,
    private redis: TestRedis,
  ) {}

  static async prepare(): Promise<Instances> {
    const database = await cloneTemplate();
    const port = await freePort();
    return new Instances(database, port, await startRedisServer(port));
  }

  async start(): Promise<TestApi> {
    const own = { DATABASE_URL: this.database.url, REDIS_URL: this.redis.url };
    const api = await startTestApi({ ...PATIENT, ...own });
    this.apis.push(api);
    return api;
  }

  /** Ends an instance and starts another one, whose memory is empty. */
  async restart(api: TestApi): Promise<TestApi> {
    this.apis = this.apis.filter((one) => one !== api);
    await api.close();
    return this.start();
  }

  async flushRedis(): Promise<void> {
    const client = new Redis(this.redis.url);
    await client.flushdb();
    client.disconnect();
  }

  /** Redis is away while `work` goes on, and there again, empty, after it. */
  async withoutRedis(work: () => Promise<void>): Promise<void> {
    await this.redis.stop();
    try {
      await work();
    } finally {
      this.redis = await startRedisServer(this.redisPort);
    }
  }

  /** Ends the instances; those of the next test find what these have stored. */
  async end(): Promise<void> {
    await Promise.all(this.apis.map((api) => api.close()));
    this.apis = [];
  }

  async close(): Promise<void> {
    await this.redis.stop();
    await this.database.drop();
  }
}

/** Waits until an instance has written what it writes behind an answer. */
export const drain = (api: TestApi): Promise<void> => api.app.get(CacheHub).drain();
