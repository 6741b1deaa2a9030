import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AdministratorBootstrap } from '#libs/auth';
import { SystemClock } from '#libs/core';
import { persistenceSettings } from '#libs/persistence';
import { MemoryLogDestination, RootLogger } from '#libs/logging';
import { createApi } from '../../apps/api/src/create-api.js';
import { loadSettings } from '../../apps/shared/src/load-settings.js';
import { openDatabase } from '../../apps/shared/src/open-database.js';
import type { Platform } from '../../apps/shared/src/platform.js';
import { cloneTemplate } from './database.js';

/** The administrator that every test app starts with. */
export const ADMINISTRATOR = {
  email: 'admin@test.example',
  password: 'correct horse battery staple',
} as const;

export interface TestRequest {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A parsed answer; `body` is `undefined` when there is none, a text when it is not JSON. */
export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into it freely
  readonly body: any;
}

/** The machine's clock, some way ahead. */
export class TravellingClock extends SystemClock {
  private aheadMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.aheadMs;
  }

  advance(ms: number): void {
    this.aheadMs += ms;
  }
}

/** The real API on a free port, with a database of its own. */
export interface TestApi {
  readonly url: string;
  readonly app: NestFastifyApplication;
  readonly platform: Platform;
  readonly log: MemoryLogDestination;
  /** The time that the app goes by. */
  readonly clock: TravellingClock;
  request(method: string, path: string, request?: TestRequest): Promise<TestAnswer>;
  /** Logs in and returns an access token; by default the administrator's. */
  login(credentials?: { email: string; password: string }): Promise<string>;
  /** Registers a user with an organization of its own and returns an access token. */
  register(email: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * Starts the API with the given settings (environment variables) on top of the test defaults. With
 * the `DATABASE_URL` of another one (and its Redis) it is a second instance beside that. Modules of the
 * test come on top of its own.
 */
export async function startTestApi(
  environment: Readonly<Record<string, string>> = {},
  modules: readonly Type[] = [],
): Promise<TestApi> {
  const { url: databaseUrl, drop } = await databaseOf(environment['DATABASE_URL']);
  const { store } = await loadSettings({
    DATABASE_URL: databaseUrl,
    // One for each database, so that tests do not meet in Redis.
    PANTHEON_REDIS_KEY_PREFIX: new URL(databaseUrl).pathname.slice(1),
    PANTHEON_ADMIN_EMAIL: ADMINISTRATOR.email,
    PANTHEON_ADMIN_PASSWORD: ADMINISTRATOR.password,
    PANTHEON_DATABASE_POOL_SIZE: '10',
    // A machine that runs many tests at once is overloaded, and refusals are not what they are about.
    PANTHEON_ADMISSION_ENABLED: 'false',
    ...environment,
  });
  const log = new MemoryLogDestination();
  const dataSource = await openDatabase(
    databaseUrl,
    store.get(persistenceSettings),
    'pantheon-test',
  );
  const clock = new TravellingClock();
  const platform: Platform = {
    clock,
    store,
    log: new RootLogger({ service: 'api', destination: log }),
    watcher: null,
    dataSource,
    databaseUrl,
    embedded: false,
    async close() {
      if (dataSource.isInitialized) await dataSource.destroy();
    },
  };
  const app = await createApi(platform, modules);
  await app.get(AdministratorBootstrap).ensure();
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();

  async function request(method: string, path: string, options: TestRequest = {}) {
    const { token, body, headers } = options;
    const isText = typeof body === 'string';
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined || isText ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : isJson ? JSON.parse(text) : text,
    };
  }

  async function login(credentials: { email: string; password: string } = ADMINISTRATOR) {
    const answer = await request('POST', '/v1/auth/login', { body: credentials });
    if (answer.status !== 200) throw new Error(`login failed: ${JSON.stringify(answer.body)}`);
    return String(answer.body.accessToken);
  }

  return {
    url,
    app,
    platform,
    log,
    clock,
    request,
    login,
    async register(email) {
      const credentials = { email, password: `password of ${email}` };
      const answer = await request('POST', '/v1/auth/register', { body: credentials });
      if (answer.status !== 201) throw new Error(`register failed: ${JSON.stringify(answer.body)}`);
      return login(credentials);
    },
    async close() {
      await app.close();
      await platform.close();
      await drop();
    },
  };
}

async function databaseOf(url: string | undefined) {
  if (url === undefined) return cloneTemplate();
  return { url, drop: () => Promise.resolve() };
}
