import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AdministratorBootstrap } from '#libs/auth';
import { SystemClock } from '#libs/core';
import { MemoryLogDestination, RootLogger } from '#libs/logging';
import { createApi } from '../../apps/api/src/create-api.js';
import { databaseParts } from '../../apps/shared/src/database-parts.js';
import { loadSettings } from '../../apps/shared/src/load-settings.js';
import type { Platform } from '../../apps/shared/src/platform.js';
import { openBenchDatabase } from './bench-database.js';

/** The machine's clock, moved ahead by a benchmark that plays hours in minutes. */
export class BenchClock extends SystemClock {
  private aheadMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.aheadMs;
  }

  /** Goes on to a time that is not over yet. */
  moveTo(epochMs: number): void {
    this.aheadMs = Math.max(this.aheadMs, Math.round(epochMs - super.nowMs()));
  }
}

/** What came back of a request. */
export interface BenchAnswer {
  readonly status: number;
  readonly text: string;
}

/** The whole API in this process, over a database of its own. */
export interface BenchApi {
  readonly clock: BenchClock;
  readonly app: NestFastifyApplication;
  send(method: 'GET' | 'POST', path: string, token?: string, body?: unknown): Promise<BenchAnswer>;
  close(): Promise<void>;
}

/** Starts it with these environment variables over the defaults. Requests need no socket. */
export async function openBenchApi(
  environment: Readonly<Record<string, string>> = {},
): Promise<BenchApi> {
  const database = await openBenchDatabase(databaseParts);
  const { store } = await loadSettings({ DATABASE_URL: database.url, ...environment });
  const clock = new BenchClock();
  const platform: Platform = {
    clock,
    store,
    log: new RootLogger({ service: 'bench', destination: new MemoryLogDestination() }),
    watcher: null,
    dataSource: database.dataSource,
    databaseUrl: database.url,
    embedded: false,
    close: () => database.close(),
  };
  const app = await createApi(platform);
  await app.get(AdministratorBootstrap).ensure();
  const fastify = app.getHttpAdapter().getInstance();
  await fastify.ready();
  return {
    clock,
    app,
    async send(method, path, token, body) {
      const answer = await fastify.inject({
        method,
        url: path,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(typeof body === 'string' ? { 'content-type': 'application/x-ndjson' } : {}),
        },
        ...(body === undefined ? {} : { payload: body as string | object }),
      });
      return { status: answer.statusCode, text: answer.body };
    },
    async close() {
      await app.close();
      await platform.close();
    },
  };
}
