import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cacheable, CacheEvict, CachePut } from './cacheable.decorator.js';
import { boot, closeApps } from './testing/boot.js';
import { Orders } from './testing/orders.js';

afterEach(closeApps);

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
