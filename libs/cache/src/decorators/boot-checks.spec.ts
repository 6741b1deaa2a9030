import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, Scope, type Type } from '@nestjs/common';
import type { Principal } from '#libs/core';
import { Cacheable, CacheEvict, CachePut } from './cacheable.decorator.js';
import type { CachedRequest } from './cached-request.js';
import { closeApps } from './testing/boot.js';
import { problemsOf } from './testing/problems-of.js';

afterEach(closeApps);

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
