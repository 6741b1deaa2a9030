import type { IncomingMessage } from 'node:http';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AdministratorBootstrap } from '#libs/auth';
import { type Principal, SystemClock } from '#libs/core';
import { CurrentPrincipal, Public, RequirePermission } from '#libs/http';
import {
  createRootLogger,
  registerAccessLog,
  registerRequestContext,
  requestIdFrom,
} from '#libs/logging';
import { HttpMetrics, MetricRegistry, metricsSettings, registerHttpMetrics } from '#libs/metrics';
import { persistenceSettings } from '#libs/persistence';
import { createApi } from '../../apps/api/src/create-api.js';
import { addSecurityHeaders } from '../../apps/api/src/http/security-headers.js';
import { loadSettings } from '../../apps/shared/src/load-settings.js';
import { openDatabase } from '../../apps/shared/src/open-database.js';
import { type ComparedRequest, reportForComparison } from '../support/cpu-per-request.js';

/** An answer of the size that the platform gives. */
const CONSTANT = {
  id: '01982a1e-7a5c-7000-8000-000000000000',
  ownerId: '01982a1e-7a5c-7000-8000-000000000001',
  name: 'notes',
  label: 'notes',
  kind: 'document',
  scope: 'personal',
  retentionDays: null,
  cacheRule: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
};

const PATH = '/v1/constant';

@Controller(PATH.slice(1))
class BareController {
  @Get()
  get(): object {
    return CONSTANT;
  }
}

@Controller(PATH.slice(1))
class GuardedController {
  @Get('public')
  @Public()
  open(): object {
    return CONSTANT;
  }

  @Get('authenticated')
  authenticated(@CurrentPrincipal() _principal: Principal): object {
    return CONSTANT;
  }

  @Get()
  @RequirePermission({ resource: 'perf:constant', action: 'read' })
  get(@CurrentPrincipal() _principal: Principal): object {
    return CONSTANT;
  }
}

@Module({ controllers: [BareController] })
class BareModule {}

@Module({ controllers: [GuardedController] })
class GuardedModule {}

/** What one server of the comparison is made of. */
interface Server {
  readonly name: string;
  /** Hooks on a bare Nest server, as many of `HOOKS`; absent: the whole platform. */
  readonly hooks?: number;
  readonly path?: string;
  /** Settings by which a layer is off. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Admission is at work and refuses nothing, however busy the machine is; all share one PostgreSQL. */
const SHARED_MACHINE = {
  PANTHEON_DATABASE_POOL_SIZE: '5',
  PANTHEON_ADMISSION_MIN_LIMIT: '1000',
  PANTHEON_ADMISSION_INITIAL_LIMIT: '1000',
  PANTHEON_ADMISSION_LOOP_DELAY_TARGET_MS: '10000',
  PANTHEON_ADMISSION_TURN_BUDGET_MS: '1000',
};

/** The first is what the others are compared to. */
export const SERVERS: readonly Server[] = [
  { name: 'bare Nest', hooks: 0 },
  { name: '+ request id and context', hooks: 1 },
  { name: '+ metrics', hooks: 2 },
  { name: '+ access log', hooks: 3 },
  { name: '+ security headers', hooks: 4 },
  { name: 'platform, public route', path: `${PATH}/public` },
  { name: 'platform, with token', path: `${PATH}/authenticated` },
  { name: 'platform, with token and permission', path: PATH },
  without('access log', { PANTHEON_LOGGING_ACCESS_LOG: 'false' }),
  without('rate limits', { PANTHEON_RATE_LIMIT_ENABLED: 'false' }),
  without('admission', { PANTHEON_ADMISSION_ENABLED: 'false' }),
];

/** The whole platform with a layer off. */
function without(layer: string, environment: Readonly<Record<string, string>>): Server {
  return { name: `… without ${layer}`, path: PATH, environment };
}

/** The one that has a limit. */
export const WHOLE = 'platform, with token and permission';

/** Starts a server of this name in this process. */
export async function serve(name: string, credentials: Credentials): Promise<void> {
  const server = SERVERS.find((one) => one.name === name);
  if (server === undefined) throw new Error(`There is no server "${name}".`);
  if (server.hooks === undefined) await servePlatform(server, credentials);
  else await serveBare(server.hooks);
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

async function serveBare(hooks: number): Promise<void> {
  const genReqId = ({ headers }: IncomingMessage): string => requestIdFrom(headers['x-request-id']);
  const adapter = new FastifyAdapter(hooks === 0 ? {} : { genReqId });
  const app = await NestFactory.create<NestFastifyApplication>(BareModule, adapter, {
    logger: false,
  });
  const fastify = app.getHttpAdapter().getInstance();
  const { store } = await loadSettings();
  const HOOKS = [
    () => registerRequestContext(fastify),
    () => {
      const registry = new MetricRegistry(performance.now());
      registerHttpMetrics(fastify, new HttpMetrics(registry, store.get(metricsSettings)));
    },
    () => registerAccessLog(fastify, createRootLogger(store, { service: 'api' })),
    () => addSecurityHeaders(fastify),
  ];
  for (const register of HOOKS.slice(0, hooks)) register();
  await app.listen(0, '127.0.0.1');
  report(app, { path: PATH });
}

function report(app: NestFastifyApplication, request: ComparedRequest): void {
  const { port } = app.getHttpServer().address() as { readonly port: number };
  reportForComparison(port, request);
}

/** The API as it runs, with a user who has logged in. */
async function servePlatform(server: Server, credentials: Credentials): Promise<void> {
  Object.assign(process.env, SHARED_MACHINE, server.environment);
  const { store } = await loadSettings();
  const settings = store.get(persistenceSettings);
  const databaseUrl = settings.url ?? '';
  const dataSource = await openDatabase(databaseUrl, settings, 'pantheon-bench');
  const platform = {
    clock: new SystemClock(),
    store,
    log: createRootLogger(store, { service: 'api' }),
    watcher: null,
    dataSource,
    databaseUrl,
    embedded: false,
    close: () => dataSource.destroy(),
  };
  const app = await createApi(platform, [GuardedModule]);
  await app.get(AdministratorBootstrap).ensure();
  await app.listen(0, '127.0.0.1');
  const authorization = `Bearer ${await logIn(await app.getUrl(), credentials)}`;
  report(app, {
    path: server.path ?? PATH,
    headers: server.path?.endsWith('/public') === true ? {} : { authorization },
  });
}

async function logIn(url: string, credentials: Credentials): Promise<string> {
  const answer = await fetch(`${url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(credentials),
  });
  if (!answer.ok) throw new Error(`The login failed: ${answer.status} ${await answer.text()}`);
  return String(((await answer.json()) as { accessToken?: unknown }).accessToken);
}
