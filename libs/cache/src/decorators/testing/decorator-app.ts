import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Clock, SystemClock } from '#libs/core';
import { registerRequestContext } from '#libs/logging';
import { CacheHub } from '../../engine/cache-hub.js';
import { Caches } from '../../managers/caches.js';
import { responseProviders } from '../../response/index.js';
import { CacheDecoratorsModule } from '../cache-decorators.module.js';

const BUDGET_BYTES = 32 * 1024 * 1024;

export interface DecoratorAppOptions {
  readonly providers?: readonly Provider[];
  readonly controllers?: readonly Type[];
  /** Default a hub of its own, which is closed with the application. */
  readonly hub?: CacheHub;
  /** Called before routes are registered. */
  readonly prepare?: (app: NestFastifyApplication) => void;
}

/** A Nest application on Fastify with the decorators, and nothing else of the platform. */
export interface DecoratorApp {
  readonly app: NestFastifyApplication;
  readonly hub: CacheHub;
  readonly caches: Caches;
  readonly url: string;
  get<Instance>(token: Type<Instance>): Instance;
  close(): Promise<void>;
}

@Module({})
class TestCacheModule {}

@Module({})
class DecoratorAppModule {}

/** Boots the application; it rejects with what is wrong with the decorators. */
export async function startDecoratorApp(options: DecoratorAppOptions): Promise<DecoratorApp> {
  const hub = options.hub ?? new CacheHub();
  const app = await NestFactory.create<NestFastifyApplication>(
    moduleOf(options, hub, true),
    new FastifyAdapter(),
    { logger: false, abortOnError: false },
  );
  registerRequestContext(app.getHttpAdapter().getInstance());
  options.prepare?.(app);
  const close = async (): Promise<void> => {
    await app.close();
    await hub.close();
  };
  try {
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await close();
    throw error;
  }
  return {
    app,
    hub,
    caches: app.get(Caches),
    url: await app.getUrl(),
    get: (token) => app.get(token),
    close,
  };
}

/** The module of such an application; also for a process without routes. */
export function moduleOf(
  { providers = [], controllers = [] }: DecoratorAppOptions,
  hub: CacheHub,
  hasResponses: boolean,
): DynamicModule {
  const caches = new Caches(hub, {
    application: BUDGET_BYTES,
    database: BUDGET_BYTES,
    api: BUDGET_BYTES,
    content: BUDGET_BYTES,
    session: BUDGET_BYTES,
  });
  const cacheModule: DynamicModule = {
    module: TestCacheModule,
    global: true,
    imports: [CacheDecoratorsModule],
    providers: [
      { provide: Clock, useClass: SystemClock },
      { provide: Caches, useValue: caches },
      ...(hasResponses ? responseProviders : []),
    ],
    exports: [Caches],
  };
  return {
    module: DecoratorAppModule,
    imports: [cacheModule],
    controllers: [...controllers],
    providers: [...providers],
  };
}
