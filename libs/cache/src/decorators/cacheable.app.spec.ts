import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Get,
  Injectable,
  NotFoundException,
  Param,
  Patch,
  Post,
  Put,
} from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Principal } from '#libs/core';
import { CurrentPrincipal } from '#libs/http';
import { captureContext, currentContext, restoreContext, runWithContext } from '#libs/logging';
import { of } from 'rxjs';
import { Cluster } from '../testing/cluster.js';
import { Cacheable, CacheEvict, CachePut } from './cacheable.decorator.js';
import { type DecoratorApp, startDecoratorApp } from './testing/decorator-app.js';

interface Order {
  readonly id: string;
  readonly text: string;
}

/** The database of the example, which all processes share. */
const rows = new Map<string, Order>();

@Injectable()
class Orders {
  reads = 0;

  @Cacheable({ namespace: 'orders', key: 'order:{id}' })
  async find(id: string): Promise<Order | null> {
    this.reads += 1;
    return rows.get(id) ?? null;
  }

  @CachePut({ namespace: 'orders', key: 'order:{order.id}' })
  async save(order: Order): Promise<Order> {
    rows.set(order.id, order);
    return order;
  }

  @Cacheable({ varyBy: ['user'] })
  async greeting(): Promise<string> {
    return `Hello ${currentContext()?.userId ?? 'nobody'}`;
  }

  @Cacheable({ key: 'word:{word}', varyBy: ['header:accept-language'] })
  async translate(word: string): Promise<string> {
    return `${word} in ${currentContext()?.header?.('accept-language') ?? 'any language'}`;
  }
}

@Controller('orders')
class OrdersController {
  lists = 0;

  constructor(private readonly orders: Orders) {}

  @Get()
  @Cacheable({ tags: ['orders'] })
  list(): readonly Order[] {
    this.lists += 1;
    return [...rows.values()];
  }

  @Get('greeting')
  greet(): Promise<string> {
    return this.orders.greeting();
  }

  @Get('words/:word')
  translate(@Param('word') word: string): Promise<string> {
    return this.orders.translate(word);
  }

  @Get('mine')
  @Cacheable({ varyBy: ['user'] })
  mine(@CurrentPrincipal() principal: Principal): object {
    this.lists += 1;
    return { user: principal.userId, lists: this.lists };
  }

  @Get(':id')
  @Cacheable({ key: 'order:{id}', namespace: 'order-pages' })
  async find(@Param('id') id: string): Promise<Order> {
    const order = await this.orders.find(id);
    if (order === null) throw new NotFoundException();
    return order;
  }

  @Put(':id')
  @CacheEvict({ namespace: 'order-pages', key: 'order:{params.id}' })
  @CacheEvict({ tags: ['orders'] })
  save(@Param('id') id: string, @Body() { text }: { text: string }): Promise<Order> {
    return this.orders.save({ id, text });
  }

  @Post()
  @CacheEvict({ tags: ['orders'] })
  create(@Body() order: Order): unknown {
    if (order.id === '') throw new Error('an order needs an id');
    rows.set(order.id, order);
    return of(order);
  }

  @Patch(':id')
  @CacheEvict({ namespace: 'order-pages', key: 'order:{route.id}' })
  @CacheEvict({ namespace: 'orders', key: 'order:{params.id}' })
  @CacheEvict({ tags: ['orders', 'text:{body.text}'] })
  change(@Param() route: { id: string }, @Body() body: { text: string }): Order {
    const order = { id: route.id, text: body.text };
    rows.set(order.id, order);
    return order;
  }
}

/** Takes the word of a header for who the caller is. */
function authenticate(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const userId = request.headers['x-user'];
    if (typeof userId === 'string') {
      const principal: Principal = {
        userId,
        organizationId: 'o',
        email: `${userId}@example.org`,
        roles: [],
        grants: [],
      };
      Object.assign(request, { principal });
      const context = currentContext();
      if (context !== undefined) context.userId = userId;
    }
    done();
  });
}

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  rows.clear();
  for (const close of closers.splice(0)) await close();
});

async function start(cluster?: Cluster): Promise<DecoratorApp> {
  const app = await startDecoratorApp({
    controllers: [OrdersController],
    providers: [Orders],
    prepare: authenticate,
    ...(cluster === undefined ? {} : { hub: await cluster.join() }),
  });
  closers.unshift(() => app.close());
  return app;
}

async function ask(
  { url }: DecoratorApp,
  path: string,
  { method = 'GET', body, headers = {} }: { method?: string; body?: object; headers?: object } = {},
): Promise<{ status: number; cache: string | null; body: unknown }> {
  const response = await fetch(url + path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    cache: response.headers.get('x-cache'),
    body: text.startsWith('{') || text.startsWith('[') ? (JSON.parse(text) as unknown) : text,
  };
}

describe('an application with decorated handlers', () => {
  it('caches whole responses, and evicts them by tag when a write has succeeded', async () => {
    const app = await start();
    await expect(ask(app, '/orders')).resolves.toMatchObject({ cache: 'MISS', body: [] });
    await expect(ask(app, '/orders')).resolves.toMatchObject({ cache: 'L1', body: [] });
    const failed = await ask(app, '/orders', { method: 'POST', body: { id: '', text: '' } });
    expect(failed.status).toBe(500);
    await expect(ask(app, '/orders')).resolves.toMatchObject({ cache: 'L1' });
    const order = { id: '7', text: 'seven' };
    const created = await ask(app, '/orders', { method: 'POST', body: order });
    expect(created).toMatchObject({ status: 201, body: order });
    await expect(ask(app, '/orders')).resolves.toMatchObject({ cache: 'MISS', body: [order] });
  });

  it('evicts by key what a handler and a method have stored', async () => {
    const app = await start();
    rows.set('7', { id: '7', text: 'seven' });
    for (const method of ['PUT', 'PATCH']) {
      await ask(app, '/orders/7');
      await expect(ask(app, '/orders/7')).resolves.toMatchObject({ cache: 'L1' });
      await ask(app, '/orders/7', { method, body: { text: `by ${method}` } });
      await expect(ask(app, '/orders/7')).resolves.toMatchObject({
        cache: 'MISS',
        body: { text: `by ${method}` },
      });
    }
  });

  it('gives each user an answer of its own, from handlers and from services', async () => {
    const app = await start();
    const as = (user: string) => ({ headers: { 'x-user': user } });
    for (const _ of [1, 2]) {
      for (const user of ['ann', 'bob']) {
        const mine = await ask(app, '/orders/mine', as(user));
        expect(mine.body).toMatchObject({ user });
        const greeting = await ask(app, '/orders/greeting', as(user));
        expect(greeting.body).toBe(`Hello ${user}`);
      }
    }
    expect(app.get(OrdersController).lists).toBe(2);
  });

  it('knows headers of the request deep in a service', async () => {
    const app = await start();
    for (const language of ['de', 'fr', 'de']) {
      const headers = { 'accept-language': language };
      const { body } = await ask(app, '/orders/words/yes', { headers });
      expect(body).toBe(`yes in ${language}`);
    }
  });

  it('knows the user in a job that a request has started', async () => {
    const app = await start();
    const stored = runWithContext(restoreContext({ requestId: 'r', userId: 'ann' }), () =>
      captureContext(),
    );
    const greet = () => app.get(Orders).greeting();
    const job = restoreContext(JSON.parse(JSON.stringify(stored)), { jobId: 'j' });
    await expect(runWithContext(job, greet)).resolves.toBe('Hello ann');
    const other = restoreContext({ requestId: 'r', userId: 'bob' }, { jobId: 'k' });
    await expect(runWithContext(other, greet)).resolves.toBe('Hello bob');
  });
});

describe('two processes', () => {
  it('read nothing older than what a write in the other has answered', async () => {
    const cluster = new Cluster();
    closers.push(() => cluster.close());
    const [one, other] = [await start(cluster), await start(cluster)];
    rows.set('7', { id: '7', text: '0' });
    for (let round = 1; round <= 25; round += 1) {
      const [writer, reader] = round % 2 === 0 ? [one, other] : [other, one];
      const before = await ask(reader, '/orders/7');
      expect(before.body).toMatchObject({ text: String(round - 1) });
      const body = { text: String(round) };
      await ask(writer, '/orders/7', { method: round % 3 === 0 ? 'PATCH' : 'PUT', body });
      const [page, list, found] = await Promise.all([
        ask(reader, '/orders/7'),
        ask(reader, '/orders'),
        reader.get(Orders).find('7'),
      ]);
      expect([page.body, list.body, found]).toMatchObject([body, [body], body]);
    }
  });

  it('share what one of them has loaded', async () => {
    const cluster = new Cluster();
    closers.push(() => cluster.close());
    const [one, other] = [await start(cluster), await start(cluster)];
    rows.set('7', { id: '7', text: 'seven' });
    await one.get(Orders).find('7');
    await one.hub.drain();
    await expect(other.get(Orders).find('7')).resolves.toEqual({ id: '7', text: 'seven' });
    expect(other.get(Orders).reads).toBe(0);
  });
});
