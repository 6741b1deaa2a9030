import type { IncomingMessage } from 'node:http';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Principal } from '#libs/core';
import { CurrentPrincipal, Public, RequirePermission } from '#libs/http';
import {
  createRootLogger,
  registerAccessLog,
  registerRequestContext,
  requestIdFrom,
} from '#libs/logging';
import { HttpMetrics, MetricRegistry, metricsSettings, registerHttpMetrics } from '#libs/metrics';
import { addSecurityHeaders } from '../../apps/api/src/http/security-headers.js';
import { loadSettings } from '../../apps/shared/src/load-settings.js';
import { type ComparedRequest, reportForComparison } from '../support/cpu-per-request.js';
import { CONSTANT_ANSWER, logInAt } from '../support/platform-client.js';
import { servePlatform } from '../support/served-platform.js';

const PATH = '/v1/constant';

@Controller(PATH.slice(1))
class BareController {
  @Get()
  get(): object {
    return CONSTANT_ANSWER;
  }
}

@Controller(PATH.slice(1))
class GuardedController {
  @Get('public')
  @Public()
  open(): object {
    return CONSTANT_ANSWER;
  }

  @Get('authenticated')
  authenticated(@CurrentPrincipal() _principal: Principal): object {
    return CONSTANT_ANSWER;
  }

  @Get()
  @RequirePermission({ resource: 'perf:constant', action: 'read' })
  get(@CurrentPrincipal() _principal: Principal): object {
    return CONSTANT_ANSWER;
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
export async function serve(name: string): Promise<void> {
  const server = SERVERS.find((one) => one.name === name);
  if (server === undefined) throw new Error(`There is no server "${name}".`);
  if (server.hooks === undefined) await serveWhole(server);
  else await serveBare(server.hooks);
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
async function serveWhole(server: Server): Promise<void> {
  Object.assign(process.env, SHARED_MACHINE, server.environment);
  const app = await servePlatform([GuardedModule]);
  const authorization = await logInAt(await app.getUrl());
  report(app, {
    path: server.path ?? PATH,
    headers: server.path?.endsWith('/public') === true ? {} : { authorization },
  });
}
