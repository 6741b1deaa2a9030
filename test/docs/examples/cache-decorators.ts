import {
  Body,
  Controller,
  Get,
  Injectable,
  NotFoundException,
  Param,
  Put,
  Query,
} from '@nestjs/common';
import { Cacheable, CacheEvict, CachePut, Caching } from '#libs/cache';

export interface Order {
  readonly id: string;
  readonly customer: string;
}

/** The database of the examples. */
@Injectable()
export class OrderTable {
  reads = 0;
  private readonly rows = new Map<string, Order>();

  async read(id: string): Promise<Order | null> {
    this.reads += 1;
    return this.rows.get(id) ?? null;
  }

  async list(customer: string, page = 1): Promise<readonly Order[]> {
    this.reads += 1;
    const orders = [...this.rows.values()].filter((order) => order.customer === customer);
    return orders.slice((page - 1) * 10, page * 10);
  }

  async write(order: Order): Promise<Order> {
    this.rows.set(order.id, order);
    return order;
  }

  async remove(id: string): Promise<void> {
    this.rows.delete(id);
  }

  async removeAllOf(customer: string): Promise<void> {
    for (const { id } of await this.list(customer)) this.rows.delete(id);
  }
}

@Injectable()
export class Orders {
  constructor(private readonly table: OrderTable) {}

  @Cacheable({ namespace: 'orders', key: 'order:{id}', tags: ['customer:{result.customer}'] })
  async find(id: string): Promise<Order | null> {
    return this.table.read(id);
  }

  @CachePut({ namespace: 'orders', key: 'order:{result.id}', tags: ['customer:{result.customer}'] })
  async save(order: Order): Promise<Order> {
    return this.table.write(order);
  }

  @CacheEvict({ namespace: 'orders', key: 'order:{id}' })
  async remove(id: string): Promise<void> {
    await this.table.remove(id);
  }

  @CacheEvict({ tags: ['customer:{customer}'] })
  async removeAllOf(customer: string): Promise<void> {
    await this.table.removeAllOf(customer);
  }
}

@Injectable()
export class Prices {
  @Cacheable({ key: (product: string, day: Date) => [product, day.toISOString().slice(0, 10)] })
  async priceOf(product: string, day: Date): Promise<number> {
    return product.length * day.getUTCDate();
  }

  @Cacheable<Prices['quote']>({
    key: (products) => [...products].sort(),
    condition: (products) => products.length < 100,
    unless: (sum) => sum === 0,
  })
  async quote(products: readonly string[]): Promise<number> {
    return products.length;
  }
}

@Injectable()
export class Greetings {
  @Cacheable({ varyBy: ['user', 'header:accept-language'] })
  async greet(): Promise<string> {
    return `${Math.random()}`;
  }

  @CacheEvict({ namespace: 'Greetings.greet', allEntries: true })
  async change(): Promise<void> {}
}

@Controller('orders')
export class OrdersController {
  constructor(
    private readonly orders: Orders,
    private readonly table: OrderTable,
  ) {}

  @Get(':id')
  @Cacheable({ tags: ['order:{params.id}'], ttlMs: 300_000 })
  async find(@Param('id') id: string): Promise<Order> {
    const order = await this.orders.find(id);
    if (order === null) throw new NotFoundException();
    return order;
  }

  @Get('by-customer/:customer')
  @Cacheable({
    keyBy: ({ params, query }) => [params['customer'], query['page'] ?? '1'],
    tags: ['orders'],
  })
  list(@Param('customer') customer: string, @Query('page') page = '1'): Promise<readonly Order[]> {
    return this.table.list(customer, Number(page));
  }

  @Put(':id')
  @CacheEvict({ tags: ['order:{params.id}', 'orders'] })
  save(@Param('id') id: string, @Body() body: { customer: string }): Promise<Order> {
    return this.orders.save({ id, customer: body.customer });
  }
}

@Injectable()
export class Imports {
  @Caching({
    put: [{ namespace: 'imports', key: 'import:{result.id}' }],
    evict: [{ tags: ['imports'] }, { namespace: 'orders', allEntries: true }],
  })
  async run(id: string): Promise<{ id: string; rows: number }> {
    return { id, rows: id.length };
  }
}
