import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  Controller,
  Get,
  Injectable,
  Module,
  NotFoundException,
  type PipeTransform,
  Query,
  Scope,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import type { RouteCheck, RouteGuard } from '#libs/http';
import { useDirectRoutes } from './direct-routes.js';

class Denying implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

/** Knows what to check only once it has been made. */
class Checking implements RouteGuard {
  private readonly text = 'checked';

  checkOf(): RouteCheck {
    return () => {
      throw new NotFoundException(this.text);
    };
  }

  canActivate(): boolean {
    throw new NotFoundException(this.text);
  }
}

class Wrapping {
  private readonly key = 'wrapped';

  intercept(_context: unknown, next: { handle(): Observable<unknown> }): Observable<unknown> {
    return next.handle().pipe(map((value) => ({ [this.key]: value })));
  }
}

class Doubling implements PipeTransform {
  private readonly times = 2;

  transform(value: unknown): unknown {
    return String(value).repeat(this.times);
  }
}

class Teapot {
  private readonly status = 418;

  catch(_error: unknown, host: { getArgByIndex(at: number): FastifyReply }): void {
    void host.getArgByIndex(1).code(this.status).send('caught');
  }
}

@Controller()
class Routes {
  @Get('echo')
  echo(@Query('word') word: string): object {
    return { word };
  }

  @Get('throws')
  throws(): never {
    throw new NotFoundException();
  }
}

const apps: NestFastifyApplication[] = [];
afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));

async function start(provide: string, part: Type, scope: Scope, isDirect: boolean) {
  Injectable({ scope })(part);
  @Module({ controllers: [Routes], providers: [{ provide, useClass: part, scope }] })
  class RootModule {}
  const options = { logger: false, abortOnError: false } as const;
  const adapter = new FastifyAdapter();
  const app = await NestFactory.create<NestFastifyApplication>(RootModule, adapter, options);
  apps.push(app);
  if (isDirect) expect(useDirectRoutes(app)).toBe(true);
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

describe.each([
  ['for each request', Scope.REQUEST],
  ['for each that asks for it', Scope.TRANSIENT],
  ['once', Scope.DEFAULT],
])('beside a global part that is made %s', (_, scope) => {
  it.each([
    [APP_GUARD, Denying, 403],
    [APP_GUARD, Checking, 404],
    [APP_INTERCEPTOR, Wrapping, 200],
    [APP_PIPE, Doubling, 200],
    [APP_FILTER, Teapot, 200],
  ] as const)('routes are answered as by Nest: %s %p', async (token, part, status) => {
    class Part extends (part as Type) {}
    const nest = await start(token, Part, scope, false);
    const direct = await start(token, Part, scope, true);
    const ask = async (url: string, path: string): Promise<unknown> => {
      const answer = await fetch(url + path);
      return [answer.status, await answer.text()];
    };
    const echo = await ask(direct, '/echo?word=go');
    expect(echo).toEqual([status, expect.any(String)]);
    expect(echo).toEqual(await ask(nest, '/echo?word=go'));
    expect(await ask(direct, '/throws')).toEqual(await ask(nest, '/throws'));
  });
});
