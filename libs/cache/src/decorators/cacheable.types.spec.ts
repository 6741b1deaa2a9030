import { describe, expect, it } from '@jest/globals';
import { Cacheable, CacheEvict, CachePut, Caching } from './cacheable.decorator.js';

interface Order {
  readonly id: string;
  readonly customer: string;
}

class Orders {
  @Cacheable()
  async plain(id: string): Promise<Order> {
    return { id, customer: '' };
  }

  @Cacheable({
    key: (id: string) => id,
    tags: (order: Order, id: string, page: number) => [order.customer, id, `${page}`],
    unless: (order: Order) => order.id === '',
    condition: () => true,
    ttlMs: (order) => order.id.length,
  })
  async stated(id: string, _page: number): Promise<Order> {
    return { id, customer: '' };
  }

  @Cacheable<Orders['given']>({
    key: (id, page) => [id.length, page.toFixed()],
    tags: (order, id) => [order.customer, id],
    unless: (order) => order.id === '',
  })
  async given(id: string, _page: number): Promise<Order> {
    return { id, customer: '' };
  }

  // @ts-expect-error the key function takes a number, the method a string
  @Cacheable({ key: (id: number) => id })
  async wrongKey(id: string): Promise<Order> {
    return { id, customer: '' };
  }

  // @ts-expect-error the method returns orders, no numbers
  @Cacheable({ unless: (value: number) => value === 0 })
  async wrongValue(id: string): Promise<Order> {
    return { id, customer: '' };
  }

  // @ts-expect-error the key function takes an argument that the method does not
  @Cacheable({ key: (id: string, page: number) => [id, page] })
  async tooFew(id: string): Promise<Order> {
    return { id, customer: '' };
  }

  @CachePut({ namespace: 'orders', key: (order: Order) => order.id })
  @CacheEvict({ tags: (_: Order, id: string) => [`customer:${id}`] })
  @CacheEvict<Orders['save']>({ namespace: 'lists', key: (order, id) => [order.customer, id] })
  @Caching({ evict: [{ namespace: 'lists', allEntries: true }] })
  async save(id: string): Promise<Order> {
    return { id, customer: '' };
  }

  // @ts-expect-error the method returns an order
  @CacheEvict({ tags: (result: number) => [`${result}`] })
  async wrongResult(id: string): Promise<Order> {
    return { id, customer: '' };
  }
}

describe('the types of the decorators', () => {
  it('are checked by the compiler, and leave the methods as they are', async () => {
    await expect(new Orders().plain('7')).resolves.toEqual({ id: '7', customer: '' });
  });
});
