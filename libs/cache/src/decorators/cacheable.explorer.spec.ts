import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheHub } from '../engine/cache-hub.js';
import { CachedMethods } from './cached-methods.js';
import { Cacheable } from './cacheable.decorator.js';
import { boot, closeApps, start } from './testing/boot.js';
import { moduleOf, startDecoratorApp } from './testing/decorator-app.js';
import { Orders } from './testing/orders.js';

afterEach(closeApps);

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
    const app = await start({ providers: [Cats, Dogs] });
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
      const app = await start({ providers: [Shapes], hub });
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
