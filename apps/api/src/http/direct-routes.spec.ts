import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type ArgumentMetadata,
  Body,
  type CanActivate,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Header,
  HttpCode,
  Injectable,
  Module,
  NotFoundException,
  Param,
  type PipeTransform,
  Post,
  Query,
  Redirect,
  Res,
  Scope,
  StreamableFile,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { APP_GUARD, APP_PIPE, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable, of } from 'rxjs';
import { z } from 'zod';
import type { RouteCheck, RouteGuard } from '#libs/http';
import { useDirectRoutes } from './direct-routes.js';
import { ValidationPipe } from './validation.pipe.js';

/** Asks the query of each request; with `wait` it does so in a later turn. */
class QueryGuard implements RouteGuard {
  readonly check: RouteCheck = (request) => {
    const { query } = request as unknown as FastifyRequest<{ Querystring: Record<string, string> }>;
    if (query['wait'] === undefined) return this.decide(query);
    return nextTurn().then(() => this.decide(query));
  };

  checkOf(handler: object): RouteCheck | undefined {
    return handler === Routes.prototype.unguarded ? undefined : this.check;
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const [request, reply] = context.getArgs<[never, never]>();
    const pending = this.checkOf(context.getHandler())?.(request, reply);
    return pending === undefined ? true : pending.then(() => true);
  }

  private decide({ refuse }: Record<string, string>): void {
    if (refuse !== undefined) throw new NotFoundException(`refused: ${refuse}`);
  }
}

class OtherGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<FastifyRequest>().headers['x-let-in'] === 'yes';
  }
}

@Injectable()
class UpperCasePipe implements PipeTransform {
  async transform(value: unknown, { type }: ArgumentMetadata): Promise<unknown> {
    await nextTurn();
    return type === 'param' ? String(value).toUpperCase() : value;
  }
}

const Caller = createParamDecorator((field: string, context: ExecutionContext) => {
  const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
  if (headers['x-caller'] === undefined) throw new NotFoundException('nobody');
  return `${field}: ${String(headers['x-caller'])}`;
});

const Later = createParamDecorator(async () => {
  await nextTurn();
  return 'later';
});

const numberQuery = z.object({ n: z.coerce.number().int() });
const eventually = z.object({ n: z.number().refine((n) => nextTurn(n > 0), 'too small') });

@Controller('routes')
class Routes {
  private readonly word = 'this';

  @Get('unguarded')
  unguarded(): string {
    return this.word;
  }

  @Get('object')
  object(): object {
    return { a: 1, word: this.word };
  }

  @Get('array')
  async array(): Promise<unknown> {
    await nextTurn();
    return [1, 2];
  }

  @Get('nothing')
  nothing(): void {}

  @Get('null')
  null(): null {
    return null;
  }

  @Get('number')
  number(): number {
    return 7;
  }

  @Get('created')
  @HttpCode(207)
  created(): boolean {
    return false;
  }

  @Get('dated')
  dated(): object {
    return new Date(0);
  }

  @Get('throws')
  throws(): never {
    throw new NotFoundException('thrown');
  }

  @Get('rejects')
  async rejects(): Promise<never> {
    await nextTurn();
    throw new TypeError('not for clients');
  }

  @Get('params/:name/:other')
  params(
    @Param('name') name: string,
    @Param('other', UpperCasePipe) other: string,
    @Query({ schema: numberQuery }) { n }: z.infer<typeof numberQuery>,
    @Caller('caller') caller: string,
    @Later() later: string,
  ): object {
    return { name, other, n, caller, later };
  }

  @Get('query')
  query(
    @Query({ schema: numberQuery }) query: z.infer<typeof numberQuery>,
    @Caller('caller') caller: string,
  ): object {
    return { query, caller };
  }

  @Post('body')
  body(@Body({ schema: eventually }) body: z.infer<typeof eventually>): object {
    return body;
  }

  @Get('stream')
  stream(): StreamableFile {
    return new StreamableFile(Readable.from(['one', 'two']), { type: 'text/plain' });
  }

  @Get('observable')
  observable(): Observable<object> {
    return of({ last: true });
  }

  @Get('generator')
  async *generator(): AsyncGenerator<string> {
    yield 'one';
    await nextTurn();
    yield 'two';
  }

  @Get('response')
  response(): Response {
    return new Response('of the web', { status: 202, headers: { 'x-own': '1' } });
  }

  @Get('own')
  own(@Res() reply: FastifyReply): void {
    void reply.code(418).send('short and stout');
  }

  @Get('header')
  @Header('x-decorated', 'yes')
  header(): string {
    return 'headed';
  }

  @Get('elsewhere')
  @Redirect('/routes/object', 302)
  elsewhere(): void {}

  @Get('intercepted')
  @UseInterceptors({
    intercept: (_context: unknown, next: { handle(): Observable<unknown> }) =>
      next.handle().pipe(map((value) => ({ value }))),
  })
  intercepted(): string {
    return 'inner';
  }

  @Get('guarded')
  @UseGuards(OtherGuard)
  guarded(): string {
    return 'in';
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedRoutes {
  private calls = 0;

  @Get()
  get(): number {
    this.calls += 1;
    return this.calls;
  }
}

@Module({
  controllers: [Routes, ScopedRoutes],
  providers: [
    { provide: APP_PIPE, useClass: ValidationPipe },
    { provide: APP_GUARD, useClass: QueryGuard },
  ],
})
class RoutesModule {}

/** What the handlers of routes gave to Fastify. */
const returned: unknown[] = [];

async function start(isDirect: boolean): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(RoutesModule, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  if (isDirect) expect(useDirectRoutes(app)).toBe(true);
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRoute', (route) => {
    const { handler } = route;
    route.handler = function handle(request, reply) {
      const result: unknown = handler.call(this, request, reply);
      returned.push(result);
      return result;
    };
  });
  await app.listen(0, '127.0.0.1');
  return app;
}

interface Asked {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const JSON_BODY = { 'content-type': 'application/json' };
const CALLER = { 'x-caller': 'me' };

const ASKED: readonly Asked[] = `
  unguarded object array nothing null number created dated throws rejects stream observable
  generator response own header elsewhere intercepted guarded unknown`
  .trim()
  .split(/\s+/)
  .map((path) => ({ url: `/routes/${path}` }));

const OTHERS: readonly Asked[] = [
  { url: '/routes/object', method: 'HEAD' },
  { url: '/routes/object?wait=1' },
  { url: '/routes/object?refuse=now' },
  { url: '/routes/object?refuse=then&wait=1' },
  { url: '/routes/unguarded?refuse=now' },
  { url: '/routes/guarded', headers: { 'x-let-in': 'yes' } },
  { url: '/routes/guarded?refuse=now', headers: { 'x-let-in': 'yes' } },
  { url: '/routes/params/a/b?n=7', headers: CALLER },
  { url: '/routes/params/a/b?n=7&wait=1', headers: CALLER },
  { url: '/routes/params/a/b?n=x', headers: CALLER },
  { url: '/routes/params/a/b?n=7' },
  { url: '/routes/params//b?n=7', headers: CALLER },
  { url: '/routes/query?n=8', headers: CALLER },
  { url: '/routes/query?n=x', headers: CALLER },
  { url: '/routes/query?n=8' },
  { url: '/routes/body', method: 'POST', headers: JSON_BODY, body: '{"n":1}' },
  { url: '/routes/body', method: 'POST', headers: JSON_BODY, body: '{"n":"x"}' },
  { url: '/scoped' },
  { url: '/scoped?refuse=now' },
];

describe('useDirectRoutes', () => {
  let nest: NestFastifyApplication;
  let direct: NestFastifyApplication;

  beforeAll(async () => {
    nest = await start(false);
    direct = await start(true);
  });
  afterAll(async () => {
    await nest.close();
    await direct.close();
  });

  async function ask(app: NestFastifyApplication, asked: Asked) {
    const { url, ...init } = asked;
    const answer = await fetch((await app.getUrl()) + url, { ...init, redirect: 'manual' });
    const headers = { ...Object.fromEntries(answer.headers), date: '' };
    return { status: answer.status, headers, body: await answer.text() };
  }

  it.each([...ASKED, ...OTHERS])('answers %j as Nest does', async (asked) => {
    const expected = await ask(nest, asked);
    expect(await ask(direct, asked)).toEqual(expected);
  });

  it('answers with what handlers and their parameters say', async () => {
    const { body } = await ask(direct, { url: '/routes/params/a/b?n=7', headers: CALLER });
    expect(JSON.parse(body)).toEqual({
      name: 'a',
      other: 'B',
      n: 7,
      caller: 'caller: me',
      later: 'later',
    });
  });

  it.each([
    ['/routes/object', false],
    ['/routes/query?n=8', false],
    ['/routes/array', true],
    ['/routes/object?wait=1', true],
  ])('makes a promise only where something has to be waited for: %s %s', async (url, waits) => {
    returned.length = 0;
    expect((await ask(direct, { url, headers: CALLER })).status).toBe(200);
    expect(returned.map((result) => result instanceof Promise)).toEqual([waits]);
  });
});
