import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type DynamicModule, Injectable, Module, type NestModule, type Type } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Clock, ManualClock } from '#libs/core';
import { CACHE_RULES, type CacheRules } from '../../decorators/cacheable.decorator.js';
import type { AnyCacheableOptions } from '../../decorators/cacheable.options.js';
import { type CachedHandler, ResponseCaching } from '../../decorators/response-caching.js';
import { CacheHub } from '../../engine/cache-hub.js';
import type { CacheHubOptions } from '../../engine/hub.options.js';
import { Caches } from '../../managers/caches.js';
import { FastifyResponseCaching } from '../fastify-response-caching.js';

const MIB = 1024 * 1024;

export interface ResponseAppOptions {
  readonly controllers: readonly Type[];
  readonly module?: Partial<DynamicModule>;
  readonly hub?: CacheHubOptions;
  /** Whether the cache is there at all. Default true. */
  readonly isCached?: boolean;
  /** Called before routes are registered. */
  readonly prepare?: (app: NestFastifyApplication) => Promise<void> | void;
}

export interface TestReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A Nest application on Fastify with cached handlers, and nothing else of the platform. */
export interface ResponseApp {
  readonly app: NestFastifyApplication;
  readonly hub: CacheHub;
  readonly clock: ManualClock;
  readonly url: string;
  get(path: string, headers?: Record<string, string>, method?: string): Promise<TestReply>;
  close(): Promise<void>;
}

/** Hands every GET handler with `@Cacheable` over, with options that use nothing but the request. */
@Injectable()
class SmallExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly responses: ResponseCaching,
  ) {}

  explore(): void {
    for (const { instance } of this.discovery.getControllers()) {
      const controller = instance as Record<string, unknown>;
      for (const methodName of Object.getOwnPropertyNames(Object.getPrototypeOf(controller))) {
        const method = controller[methodName] as object;
        const rules = Reflect.getMetadata(CACHE_RULES, method) as CacheRules | undefined;
        const options = rules?.cacheable[0];
        if (options !== undefined)
          this.responses.attach(handlerOf(controller, methodName, options));
      }
    }
  }
}

function handlerOf(
  controller: object,
  methodName: string,
  options: AnyCacheableOptions,
): CachedHandler {
  const { tags, tagsBy, conditionBy, unless, keyBy, varyBy } = options;
  return {
    controller,
    methodName,
    options,
    namespace: options.namespace ?? `${controller.constructor.name}.${methodName}`,
    namespaceOptions: withoutTags(options),
    varyBy,
    keyOf: keyBy === undefined ? undefined : (request) => String(keyBy(request)),
    tagsOf: (value, request) =>
      tagsBy?.(value as never, request) ??
      (Array.isArray(tags) ? tags : (tags as (value: never) => string[])?.(value as never)) ??
      [],
    applies: (request) => conditionBy?.(request) ?? true,
    isStorable: (value) => unless?.(value as never) !== true,
  };
}

function withoutTags(options: AnyCacheableOptions): object {
  return { ...options, tags: undefined };
}

@Module({})
class ResponseAppModule implements NestModule {
  static isCached = true;

  constructor(private readonly explorer: SmallExplorer) {}

  configure(): void {
    if (ResponseAppModule.isCached) this.explorer.explore();
  }
}

/** Unlike `fetch`, adds no `Cache-Control` of its own to a conditional request. */
async function ask(
  url: string,
  headers: Record<string, string>,
  method: string,
): Promise<TestReply> {
  const asked = request(url, { method, headers, agent: false });
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    text: await text(answer),
  };
}

export async function startResponseApp(options: ResponseAppOptions): Promise<ResponseApp> {
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const hub = new CacheHub({ clock, clockResolutionMs: 0, ...options.hub });
  const share = 32 * MIB;
  const caches = new Caches(hub, {
    application: share,
    database: share,
    api: share,
    content: share,
    session: share,
  });
  ResponseAppModule.isCached = options.isCached ?? true;
  const module: DynamicModule = {
    module: ResponseAppModule,
    global: true,
    imports: [DiscoveryModule, ...(options.module?.imports ?? [])],
    controllers: [...options.controllers],
    providers: [
      { provide: Clock, useValue: clock },
      { provide: Caches, useValue: caches },
      { provide: ResponseCaching, useClass: FastifyResponseCaching },
      SmallExplorer,
      ...(options.module?.providers ?? []),
    ],
  };
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  await options.prepare?.(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    app,
    hub,
    clock,
    url,
    get: (path, headers = {}, method = 'GET') => ask(url + path, headers, method),
    async close() {
      await app.close();
      await hub.close();
    },
  };
}
