import { Injectable, SetMetadata } from '@nestjs/common';
import { Cacheable, CacheEvict, CachePut, Caching } from '../cacheable.decorator.js';

export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly version: number;
}

/** A provider with one method of each kind. */
@Injectable()
export class Orders {
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
