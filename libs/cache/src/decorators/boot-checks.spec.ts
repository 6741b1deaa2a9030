import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Get,
  Header,
  Headers,
  Injectable,
  Param,
  Post,
  Query,
  Req,
  Res,
  Scope,
  Sse,
  type Type,
} from '@nestjs/common';
import type { Principal } from '#libs/core';
import { CurrentPrincipal, Public, RequirePermission } from '#libs/http';
import { NEVER, type Observable } from 'rxjs';
import { isError } from '#libs/core';
import { Cacheable, CacheEvict, CachePut } from './cacheable.decorator.js';
import type { CachedRequest } from './cached-request.js';
import { type DecoratorApp, startDecoratorApp } from './testing/decorator-app.js';

const apps: DecoratorApp[] = [];

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** What is wrong with the decorators of these classes; nothing when the application boots. */
async function problemsOf(parts: {
  providers?: Type[];
  controllers?: Type[];
}): Promise<readonly string[]> {
  try {
    apps.push(await startDecoratorApp(parts));
    return [];
  } catch (error) {
    if (!isError(error) || !('problems' in error)) throw error;
    expect(error).toMatchObject({ code: 'CACHE_DECORATOR_INVALID' });
    return error.problems as readonly string[];
  }
}

describe('boot refuses methods', () => {
  it('whose templates it cannot fill in, and names what it could', async () => {
    @Injectable()
    class Orders {
      @Cacheable({ key: 'order:{orderId}' })
      async find(id: string, { page }: { page: number }): Promise<string> {
        return `${id} ${page}`;
      }

      @Cacheable({ key: '{a}{b}' })
      async both(a: string, b: string): Promise<string> {
        return a + b;
      }

      @Cacheable({ key: 'x:{2}' })
      async third(a: string, b: string): Promise<string> {
        return a + b;
      }

      @Cacheable({ key: 'x:{result.id}' })
      async early(id: string): Promise<string> {
        return id;
      }

      @CacheEvict({ tags: ['order:{order.id}'] })
      async remove(): Promise<void> {}
    }
    expect(await problemsOf({ providers: [Orders] })).toEqual([
      "@Cacheable on Orders.find: the template 'order:{orderId}' names {orderId}, which it does not know: name one of id, 1",
      "@Cacheable on Orders.both: the template '{a}{b}' cannot be read: two slots touch: put a character between them, so that their values stay apart",
      "@Cacheable on Orders.third: the template 'x:{2}' names {2}, which it does not know: name one of a, b",
      "@Cacheable on Orders.early: the template 'x:{result.id}' names {result.id}, which it does not know: name one of id",
      "@CacheEvict on Orders.remove: the template 'order:{order.id}' names {order.id}, which it does not know: name one of result",
    ]);
  });

  it('that are not sure to return a promise', async () => {
    @Injectable()
    class Prices {
      @Cacheable()
      now(): number {
        return 1;
      }

      @CacheEvict({ tags: ['prices'] })
      reset(): void {}

      @Cacheable({ key: 'a' })
      declared(): Promise<number> {
        return Promise.resolve(1);
      }
    }
    const remedy =
      'it is not sure to return a promise: make it async, or declare that it returns one';
    expect(await problemsOf({ providers: [Prices] })).toEqual([
      `@Cacheable on Prices.now: ${remedy}`,
      `@CacheEvict on Prices.reset: ${remedy}`,
    ]);
  });

  it('of which there is an instance for each request or user', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      @Cacheable()
      async get(): Promise<void> {}
    }
    @Injectable({ scope: Scope.TRANSIENT })
    class PerUser {
      @CacheEvict({ tags: ['a'] })
      async get(): Promise<void> {}
    }
    const problems = await problemsOf({ providers: [PerRequest, PerUser] });
    expect(problems).toEqual([
      expect.stringContaining('on PerRequest.get: there is an instance for each request or user'),
      expect.stringContaining('on PerUser.get: there is an instance for each request or user'),
    ]);
  });

  it('that take the caller and have a key that does not name it', async () => {
    @Injectable()
    class Reports {
      @Cacheable({ key: 'report:{id}' })
      async wrong(id: string, principal: Principal): Promise<string> {
        return id + principal.userId;
      }

      @Cacheable({ key: 'report:{id}:{principal.userId}' })
      async named(id: string, principal: Principal): Promise<string> {
        return id + principal.userId;
      }

      @Cacheable({ key: 'report:{id}', varyBy: ['user'] })
      async varied(id: string, principal: Principal): Promise<string> {
        return id + principal.userId;
      }

      @Cacheable({ key: 'report:{id}', varyBy: [] })
      async shared(id: string, principal: Principal): Promise<string> {
        return id + principal.organizationId.slice(0, 0);
      }
    }
    expect(await problemsOf({ providers: [Reports] })).toEqual([
      "@Cacheable on Reports.wrong: it takes principal and its key does not name it: give varyBy: ['user'], name it in the key, or state with varyBy: [] that all callers share the answer",
    ]);
  });

  it('that would be given what another one has stored', async () => {
    @Injectable()
    class Users {
      @Cacheable({ namespace: 'users' })
      async find(id: string): Promise<string> {
        return id;
      }

      @Cacheable({ namespace: 'users' })
      async count(id: string): Promise<number> {
        return id.length;
      }
    }
    abstract class Repository {
      @Cacheable({ namespace: 'rows', key: 'row:{id}' })
      async find(id: string): Promise<string> {
        return id;
      }
    }
    @Injectable()
    class Cats extends Repository {}
    @Injectable()
    class Dogs extends Repository {}
    const makeTwin = (): Type => {
      @Injectable()
      class Twin {
        @Cacheable()
        async get(): Promise<void> {}
      }
      return Twin;
    };
    expect(await problemsOf({ providers: [Users, Cats, Dogs, makeTwin(), makeTwin()] })).toEqual([
      "@Cacheable on Users.count: Users.find has the namespace 'users' too, and neither has a key: give keys that differ",
      "@Cacheable on Dogs.find: Dogs and Cats inherit it, and both would store in 'rows': leave namespace out, so that each has its own",
      '@Cacheable on Twin.get: another class is named Twin too: give namespace',
    ]);
  });

  it('whose options mean nothing', async () => {
    @Injectable()
    class Odd {
      @Cacheable({ namespace: 'a:b' })
      async colon(): Promise<void> {}

      @Cacheable({ varyBy: ['header:'] })
      async header(): Promise<void> {}

      @Cacheable({ keyBy: ({ query }: CachedRequest) => query })
      async request(): Promise<void> {}

      @Cacheable({ ttlMs: 1 })
      @Cacheable({ ttlMs: 2 })
      async twice(): Promise<void> {}

      @CacheEvict({})
      async nothing(): Promise<void> {}

      @CacheEvict({ key: 'a' })
      async nowhere(): Promise<void> {}

      @CacheEvict({ tags: ['a:{result}'], beforeInvocation: true })
      async tooEarly(): Promise<void> {}

      @CachePut({ namespace: 'b', key: '{c}' })
      async put(): Promise<void> {}
    }
    expect(await problemsOf({ providers: [Odd] })).toEqual([
      "@Cacheable on Odd.header: varyBy has 'header:': it may have 'user', 'tenant' and 'header:name'",
      '@Cacheable on Odd.request: keyBy, tagsBy and conditionBy are for GET handlers: give key, tags or condition',
      '@Cacheable on Odd.twice: it stands there twice: keep one',
      '@CacheEvict on Odd.nothing: it does not say what to evict: give tags, or a namespace with key or allEntries',
      '@CacheEvict on Odd.nowhere: its key or allEntries is of no namespace: give namespace',
      '@CacheEvict on Odd.tooEarly: it evicts before the method runs, when there is no {result} yet: take the arguments',
      "@CachePut on Odd.put: the template '{c}' names {c}, which it does not know: name one of result",
      "@Cacheable on Odd.colon: 'a:b' is no namespace: give a word without ':'",
    ]);
  });
});

describe('decorators', () => {
  it('refuse what is no method of instances', () => {
    const decorate = (): Type => {
      class Static {
        @Cacheable()
        static async get(): Promise<void> {}
      }
      return Static;
    };
    expect(decorate).toThrow('on get: it is no method of instances');
    const decorateGetter = (): Type => {
      class Getter {
        @(CacheEvict({ tags: ['a'] }) as MethodDecorator)
        get now(): number {
          return 1;
        }
      }
      return Getter;
    };
    expect(decorateGetter).toThrow('on now: it is no method of instances');
  });
});

describe('boot refuses handlers', () => {
  it('whose answer depends on the caller in a way that their key does not tell', async () => {
    @Controller('orders')
    class OrdersController {
      @Get('mine')
      @Cacheable()
      mine(@CurrentPrincipal() principal: Principal): string {
        return principal.userId;
      }

      @Get('list')
      @Cacheable()
      list(@Req() request: object): string {
        return Object.keys(request).join();
      }

      @Public()
      @Get('public')
      @Cacheable({ varyBy: ['tenant'] })
      open(): string {
        return 'open';
      }

      @Get('language')
      @Cacheable()
      language(@Headers('accept-language') language: string): string {
        return language;
      }

      @Get(':id/lines')
      @RequirePermission({ resource: 'order:{id}', action: 'read' })
      @Cacheable({ key: 'lines:{query.page}' })
      lines(@Param('id') id: string, @Query('page') page: string): string {
        return id + page;
      }
    }
    expect(await problemsOf({ controllers: [OrdersController] })).toEqual([
      "@Cacheable on OrdersController.mine: its handler takes principal from a decorator such as @CurrentPrincipal(): give varyBy: ['user'], or state with varyBy: [] that all callers share the answer",
      '@Cacheable on OrdersController.list: it has no key and its handler takes the request: give key or keyBy, or state with varyBy: [] that all callers share the answer',
      '@Cacheable on OrdersController.open: it varies by the caller, and @Public() lets callers in who are not known: drop one',
      "@Cacheable on OrdersController.language: its handler takes headers: name them, as varyBy: ['header:accept-language']",
      "@Cacheable on OrdersController.lines: its permission depends on {id} and its key does not name it: put {params.id} into the key, or give varyBy: ['user']",
    ]);
  });

  it('not when they say what the answer depends on', async () => {
    @Controller('orders')
    class OrdersController {
      @Get('mine')
      @Cacheable({ varyBy: ['user'] })
      mine(@CurrentPrincipal() principal: Principal): string {
        return principal.userId;
      }

      @Get('shared')
      @Cacheable({ varyBy: [] })
      shared(@CurrentPrincipal() principal: Principal): string {
        return principal.userId;
      }

      @Get('list')
      @Cacheable({ keyBy: ({ query }) => query['q'] })
      list(@Req() request: object): string {
        return Object.keys(request).join();
      }

      @Get('language')
      @Cacheable({ varyBy: ['header:accept-language'] })
      language(@Headers('accept-language') language: string): string {
        return language;
      }

      @Get(':id/lines')
      @RequirePermission({ resource: 'order:{id}', action: 'read' })
      @Cacheable({ key: 'lines:{id}:{query.page}', tags: ['order:{params.id}'] })
      lines(@Param('id') id: string, @Query() query: { page: string }): string {
        return id + query.page;
      }

      @Public()
      @Get('open')
      @Header('cache-control', 'public')
      @Cacheable()
      open(): string {
        return 'open';
      }
    }
    expect(await problemsOf({ controllers: [OrdersController] })).toEqual([]);
  });

  it('whose responses are not cached, and options that cannot be known yet', async () => {
    @Controller('orders')
    class OrdersController {
      @Post()
      @Cacheable()
      create(): string {
        return 'created';
      }

      @Sse('events')
      @Cacheable()
      events(): Observable<never> {
        return NEVER;
      }

      @Get('a')
      @Cacheable({ key: (q: string) => q, condition: (q: string) => q !== '' })
      functions(@Query('q') q: string): string {
        return q;
      }

      @Get('b')
      @Cacheable({ key: 'b:{nothing}', tags: ['c:{body.id}'] })
      names(): string {
        return 'b';
      }

      @Get('c')
      @Cacheable()
      body(@Body() body: object): string {
        return Object.keys(body).join();
      }

      @Post('d')
      @CacheEvict({ tags: ['a'] })
      byItself(@Res() reply: { send(text: string): void }): void {
        reply.send('d');
      }
    }
    expect(await problemsOf({ controllers: [OrdersController] })).toEqual([
      expect.stringContaining('OrdersController.create: only responses of GET are cached'),
      expect.stringContaining('OrdersController.events: only responses of GET are cached'),
      expect.stringContaining('its key is a function of arguments, which are not known yet'),
      expect.stringContaining('its condition is a function of arguments: give conditionBy'),
      expect.stringContaining("template 'b:{nothing}' names {nothing}"),
      expect.stringContaining("template 'c:{body.id}' names {body.id}"),
      expect.stringContaining('it takes the body, which is no part of a response key'),
      expect.stringContaining('byItself: its handler answers by itself'),
    ]);
  });
});
