import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, type OnModuleInit, SetMetadata, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createContext, runWithContext } from '#libs/logging';
import { CacheHub } from '../engine/cache-hub.js';
import { CachedMethods } from './cached-methods.js';
import { CacheStrategySource, type CacheStrategyOptions } from './cache-strategy.source.js';
import { Cacheable, CacheEvict, CachePut, Caching } from './cacheable.decorator.js';
import { type DecoratorApp, moduleOf, startDecoratorApp } from './testing/decorator-app.js';

interface Order {
  readonly id: string;
  readonly customer: string;
  readonly version: number;
}

const apps: DecoratorApp[] = [];

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** Boots an application with the providers and gives the instance of the first. */
async function boot<Instance extends object>(
  first: Type<Instance>,
  ...others: Type[]
): Promise<Instance> {
  const app = await startDecoratorApp({ providers: [first, ...others] });
  apps.push(app);
  return app.get(first);
}

@Injectable()
class Orders {
  calls = 0;
  version = 0;

  @Cacheable({ namespace: 'orders', key: 'order:{id}', tags: ['customer:{result.customer}'] })
  @SetMetadata('purpose', 'look-up')
  async find(id: string, _page = 1): Promise<Order> {
    this.calls += 1;
    return { id, customer: `c-${id}`, version: this.version };
  }

  @Cacheable()
  async list(filter: object = {}): Promise<readonly string[]> {
    this.calls += 1;
    return Object.keys(filter);
  }

  async findTwice(id: string): Promise<Order> {
    await this.find(id);
    return this.find(id);
  }

  @CachePut({ namespace: 'orders', key: 'order:{order.id}', tags: ['customer:{order.customer}'] })
  async save(order: Order): Promise<Order> {
    return order;
  }

  @CacheEvict({ namespace: 'orders', key: 'order:{id}' })
  async remove(id: string): Promise<string> {
    if (id === 'locked') throw new Error('it is locked');
    return id;
  }

  @CacheEvict({ tags: (_: unknown, customer: string) => [`customer:${customer}`] })
  async dropCustomer(customer: string): Promise<void> {
    await Promise.resolve(customer);
  }

  @Caching({ evict: [{ namespace: 'orders', allEntries: true }, { tags: ['all'] }] })
  async reset(): Promise<void> {}

  @CacheEvict({ namespace: 'orders', allEntries: true, beforeInvocation: true })
  async failingReset(): Promise<void> {
    throw new Error('no');
  }
}

describe('@Cacheable', () => {
  it('calls the method once for the same arguments', async () => {
    const orders = await boot(Orders);
    const first = await orders.find('7');
    await expect(orders.find('7')).resolves.toBe(first);
    await orders.find('8');
    expect(orders.calls).toBe(2);
  });

  it('shares one call among concurrent callers', async () => {
    const orders = await boot(Orders);
    await Promise.all(Array.from({ length: 100 }, () => orders.find('7')));
    expect(orders.calls).toBe(1);
  });

  it('works for calls of the object to itself', async () => {
    const orders = await boot(Orders);
    await orders.findTwice('7');
    expect(orders.calls).toBe(1);
  });

  it('takes all arguments for the key, whatever the order of their properties', async () => {
    const orders = await boot(Orders);
    await orders.list({ a: 1, b: 2 });
    await orders.list({ b: 2, a: 1 });
    expect(orders.calls).toBe(1);
    await orders.list({ a: '1', b: 2 });
    await orders.list();
    expect(orders.calls).toBe(3);
  });

  it('leaves name, length, metadata and the class as they are', async () => {
    const orders = await boot(Orders);
    expect(orders.find.name).toBe('find');
    expect(orders.find.length).toBe(Orders.prototype.find.length);
    expect(Reflect.getMetadata('purpose', orders.find)).toBe('look-up');
    expect(Object.keys(orders)).toEqual(['calls', 'version']);
    const other = new Orders();
    await other.find('7');
    await other.find('7');
    expect(other.calls).toBe(2);
  });

  it('keeps 0, the empty text, false and null, but not undefined', async () => {
    @Injectable()
    class Odd {
      calls = 0;

      @Cacheable({ key: '{name}' })
      async value(name: string): Promise<unknown> {
        this.calls += 1;
        return { zero: 0, empty: '', no: false, none: null }[name];
      }
    }
    const odd = await boot(Odd);
    for (const name of ['zero', 'empty', 'no', 'none']) {
      const first = await odd.value(name);
      await expect(odd.value(name)).resolves.toBe(first);
    }
    expect(odd.calls).toBe(4);
    await odd.value('missing');
    await odd.value('missing');
    expect(odd.calls).toBe(6);
  });

  it('does without the cache where condition, unless or the key say so', async () => {
    @Injectable()
    class Searches {
      calls = 0;

      @Cacheable({
        key: (text: string) => (text === 'no key' ? undefined : text),
        condition: (text: string) => text !== 'now',
        unless: (found: readonly string[]) => found.length === 0,
      })
      async search(text: string): Promise<readonly string[]> {
        this.calls += 1;
        return text === 'nothing' ? [] : [text];
      }
    }
    const searches = await boot(Searches);
    for (const text of ['nothing', 'now', 'no key']) {
      await searches.search(text);
      await searches.search(text);
    }
    expect(searches.calls).toBe(6);
    await searches.search('cats');
    await searches.search('cats');
    expect(searches.calls).toBe(7);
  });

  it('rejects, and does not throw, when the key cannot be made', async () => {
    const orders = await boot(Orders);
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    await expect(orders.list(cycle)).rejects.toMatchObject({ code: 'CACHE_KEY_INVALID' });
  });

  it('gives failures to all who wait, and forgets them', async () => {
    @Injectable()
    class Flaky {
      calls = 0;

      @Cacheable()
      async get(): Promise<number> {
        this.calls += 1;
        if (this.calls === 1) throw new Error('first');
        return this.calls;
      }
    }
    const flaky = await boot(Flaky);
    const both = await Promise.allSettled([flaky.get(), flaky.get()]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(flaky.get()).resolves.toBe(2);
  });

  it('is there before any onModuleInit, with routes and without', async () => {
    @Injectable()
    class Early implements OnModuleInit {
      calls = 0;

      async onModuleInit(): Promise<void> {
        await this.get();
        await this.get();
      }

      @Cacheable()
      async get(): Promise<number> {
        this.calls += 1;
        return this.calls;
      }
    }
    expect((await boot(Early)).calls).toBe(1);
    const hub = new CacheHub();
    const context = await NestFactory.createApplicationContext(
      moduleOf({ providers: [Early] }, hub, false),
      { logger: false, abortOnError: false },
    );
    expect(context.get(Early).calls).toBe(1);
    await context.close();
    await hub.close();
  });

  it('keeps what inherits a method apart by class', async () => {
    abstract class Repository {
      @Cacheable()
      async find(id: string): Promise<string> {
        return `${this.constructor.name} ${id}`;
      }
    }
    @Injectable()
    class Cats extends Repository {}
    @Injectable()
    class Dogs extends Repository {}
    const app = await startDecoratorApp({ providers: [Cats, Dogs] });
    apps.push(app);
    await expect(app.get(Cats).find('1')).resolves.toBe('Cats 1');
    await expect(app.get(Dogs).find('1')).resolves.toBe('Dogs 1');
  });

  it('leaves a method alone that overrides a cached one', async () => {
    class Base {
      calls = 0;

      @Cacheable()
      async get(): Promise<number> {
        this.calls += 1;
        return this.calls;
      }
    }
    @Injectable()
    class Fresh extends Base {
      override async get(): Promise<number> {
        this.calls += 1;
        return this.calls;
      }
    }
    const fresh = await boot(Fresh);
    await fresh.get();
    await expect(fresh.get()).resolves.toBe(2);
  });

  it('does not see what was stored under another version', async () => {
    const values = async (version: number, hub: CacheHub): Promise<string> => {
      @Injectable()
      class Shapes {
        @Cacheable({ key: '{id}', version })
        async get(id: string): Promise<string> {
          return `${id} of ${version}`;
        }
      }
      const app = await startDecoratorApp({ providers: [Shapes], hub });
      const value = await app.get(Shapes).get('a');
      await app.app.close();
      return value;
    };
    const hub = new CacheHub();
    await expect(values(1, hub)).resolves.toBe('a of 1');
    await expect(values(2, hub)).resolves.toBe('a of 2');
    await hub.close();
  });

  it('tells which methods are cached and under which keys', async () => {
    const app = await startDecoratorApp({ providers: [Orders] });
    apps.push(app);
    const methods = app.app.get(CachedMethods).all();
    expect(methods.map(({ name, namespace }) => [name, namespace])).toEqual([
      ['Orders.find', 'orders'],
      ['Orders.list', 'Orders.list'],
    ]);
    expect(methods[0]?.entryKeyOf(['7'])).toBe('order:7');
    await app.get(Orders).find('7');
    await expect(app.caches.find('orders')?.get('order:7')).resolves.toMatchObject({ id: '7' });
  });
});

describe('varyBy', () => {
  @Injectable()
  class Settings {
    calls = 0;

    @Cacheable({ key: 'settings', namespace: 'settings', varyBy: ['user'] })
    async ofUser(): Promise<number> {
      this.calls += 1;
      return this.calls;
    }

    @Cacheable({ varyBy: ['tenant', 'user'] })
    async ofBoth(): Promise<number> {
      this.calls += 1;
      return this.calls;
    }

    @CacheEvict({ namespace: 'settings', key: 'settings' })
    async changeForAll(): Promise<void> {}

    @CacheEvict({ namespace: 'settings', key: 'settings', varyBy: ['user'] })
    async changeOwn(): Promise<void> {}
  }

  const as = <Result>(
    userId: string | undefined,
    work: () => Promise<Result>,
    organizationId = 'o',
  ): Promise<Result> => runWithContext(createContext({ userId, organizationId }), work);

  it('gives each user an answer of its own', async () => {
    const settings = await boot(Settings);
    const get = () => settings.ofUser();
    await expect(as('ann', get)).resolves.toBe(1);
    await expect(as('bob', get)).resolves.toBe(2);
    await expect(as('ann', get)).resolves.toBe(1);
    await expect(as(undefined, get)).resolves.toBe(3);
    await expect(as(undefined, get)).resolves.toBe(3);
    await expect(as('%u', get)).resolves.toBe(4);
  });

  it('does not use the cache outside of any request or job', async () => {
    const settings = await boot(Settings);
    await settings.ofUser();
    await expect(settings.ofUser()).resolves.toBe(2);
  });

  it('keeps combinations apart', async () => {
    const settings = await boot(Settings);
    const get = () => settings.ofBoth();
    const answers = [
      await as('a', get, 'b'),
      await as('b', get, 'a'),
      await as('a@t=b', get, ''),
      await as('a', get, 'b'),
    ];
    expect(answers).toEqual([1, 2, 3, 1]);
  });

  it('is evicted for all by the key, and for one where the eviction varies too', async () => {
    const settings = await boot(Settings);
    const get = () => settings.ofUser();
    await as('ann', get);
    await as('bob', get);
    await as('ann', () => settings.changeOwn());
    await expect(as('bob', get)).resolves.toBe(2);
    await expect(as('ann', get)).resolves.toBe(3);
    await as('eve', () => settings.changeForAll());
    await expect(as('bob', get)).resolves.toBe(4);
    await expect(as('ann', get)).resolves.toBe(5);
  });

  it('ends with the tag of the user', async () => {
    const app = await startDecoratorApp({ providers: [Settings] });
    apps.push(app);
    const get = () => app.get(Settings).ofUser();
    await as('ann', get);
    await as('bob', get);
    await app.caches.invalidateTags(['user:ann']);
    await expect(as('bob', get)).resolves.toBe(2);
    await expect(as('ann', get)).resolves.toBe(3);
  });
});

describe('@CachePut and @CacheEvict', () => {
  it('store what the method returned', async () => {
    const orders = await boot(Orders);
    await orders.find('7');
    await orders.save({ id: '7', customer: 'c-7', version: 5 });
    await expect(orders.find('7')).resolves.toMatchObject({ version: 5 });
    await orders.dropCustomer('c-7');
    await expect(orders.find('7')).resolves.toMatchObject({ version: 0 });
  });

  it('evict by key, by tag and by namespace', async () => {
    const orders = await boot(Orders);
    for (const evict of [
      () => orders.remove('7'),
      () => orders.dropCustomer('c-7'),
      () => orders.reset(),
    ]) {
      await orders.find('7');
      orders.version += 1;
      await evict();
      await expect(orders.find('7')).resolves.toMatchObject({ version: orders.version });
    }
  });

  it('evict nothing when the method fails, unless they come before it', async () => {
    const orders = await boot(Orders);
    await orders.find('locked');
    await expect(orders.remove('locked')).rejects.toThrow('it is locked');
    await orders.find('locked');
    expect(orders.calls).toBe(1);
    await expect(orders.failingReset()).rejects.toThrow('no');
    await orders.find('locked');
    expect(orders.calls).toBe(2);
  });

  it('evict where a result is one not to store', async () => {
    @Injectable()
    class Drafts {
      calls = 0;

      @Cacheable({ namespace: 'drafts', key: '{id}' })
      async get(id: string): Promise<string> {
        this.calls += 1;
        return id;
      }

      @CachePut({ namespace: 'drafts', key: '{0}', unless: (text: string) => text === 'secret' })
      async put(_id: string, text: string): Promise<string> {
        return text;
      }
    }
    const drafts = await boot(Drafts);
    await drafts.put('a', 'text');
    await expect(drafts.get('a')).resolves.toBe('text');
    await drafts.put('a', 'secret');
    await expect(drafts.get('a')).resolves.toBe('a');
  });

  it('apply when a cached method runs, not when it is answered from the cache', async () => {
    @Injectable()
    class Counters {
      calls = 0;

      @Cacheable({ namespace: 'counters', key: 'a' })
      async read(): Promise<number> {
        this.calls += 1;
        return this.calls;
      }

      @Cacheable({ key: '{name}' })
      @CacheEvict({ namespace: 'counters', key: 'a' })
      async touch(name: string): Promise<string> {
        return name;
      }
    }
    const counters = await boot(Counters);
    await counters.read();
    await counters.touch('x');
    await expect(counters.read()).resolves.toBe(2);
    await counters.touch('x');
    await expect(counters.read()).resolves.toBe(2);
  });
});

describe('strategies', () => {
  it('say what the decorator does not, take effect at once, and switch the cache off', async () => {
    let options: CacheStrategyOptions | undefined = { ttlMs: 0 };
    class Source extends CacheStrategySource {
      optionsOf(strategy: string): CacheStrategyOptions | undefined {
        return strategy === 'short' ? options : undefined;
      }
    }
    @Injectable()
    class Reports {
      calls = 0;

      @Cacheable({ strategy: 'short', key: '{id}' })
      async get(_id: string): Promise<number> {
        this.calls += 1;
        return this.calls;
      }

      @Cacheable({ strategy: 'short', ttlMs: 60_000 })
      async own(): Promise<number> {
        this.calls += 1;
        return this.calls;
      }
    }
    const app = await startDecoratorApp({
      providers: [Reports, { provide: CacheStrategySource, useClass: Source }],
    });
    apps.push(app);
    const reports = app.get(Reports);
    await reports.get('a');
    await expect(reports.get('a')).resolves.toBe(2);
    await reports.own();
    await expect(reports.own()).resolves.toBe(3);
    options = { ttlMs: 60_000 };
    await reports.get('a');
    await expect(reports.get('a')).resolves.toBe(4);
    options = { enabled: false };
    await expect(reports.get('a')).resolves.toBe(5);
    options = undefined;
    await expect(reports.get('a')).resolves.toBe(4);
  });
});
