import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { createContext, runWithContext } from '#libs/logging';
import {
  type DecoratorApp,
  startDecoratorApp,
} from '../../libs/cache/src/decorators/testing/decorator-app.js';
import {
  Greetings,
  Imports,
  Orders,
  OrdersController,
  OrderTable,
  Prices,
} from './examples/cache-decorators.js';
import { fencedBlocks } from './markdown.js';

const blocks = fencedBlocks(await readFile('docs/caching/decorators.md', 'utf8')).filter(
  ({ language }) => language === 'ts',
);
const source = await readFile('test/docs/examples/cache-decorators.ts', 'utf8');
let app: DecoratorApp;

beforeAll(async () => {
  app = await startDecoratorApp({
    providers: [OrderTable, Orders, Prices, Greetings, Imports],
    controllers: [OrdersController],
  });
});

afterAll(() => app.close());

describe('the examples of the decorators', () => {
  it('are those that run here', () => {
    expect(blocks.length).toBeGreaterThan(3);
    for (const { text } of blocks) expect(source).toContain(text);
  });

  it('read once, store, and evict by key and by tag', async () => {
    const [orders, table] = [app.get(Orders), app.get(OrderTable)];
    await orders.save({ id: '7', customer: 'ann' });
    await Promise.all(Array.from({ length: 100 }, () => orders.find('7')));
    expect(table.reads).toBe(0);
    await orders.remove('7');
    await Promise.all(Array.from({ length: 100 }, () => orders.find('7')));
    expect(table.reads).toBe(1);
    await orders.save({ id: '8', customer: 'ann' });
    await expect(orders.find('8')).resolves.not.toBeNull();
    await orders.removeAllOf('ann');
    await expect(orders.find('8')).resolves.toBeNull();
  });

  it('compute keys, and leave out what conditions name', async () => {
    const prices = app.get(Prices);
    const day = (hour: number) => new Date(Date.UTC(2026, 0, 5, hour));
    await prices.priceOf('tea', day(1));
    const namespace = app.caches.find('Prices.priceOf');
    await prices.priceOf('tea', day(2));
    expect(namespace?.statistics().items).toBe(1);
    await prices.quote(['b', 'a']);
    await prices.quote(['a', 'b']);
    await prices.quote([]);
    await prices.quote(Array.from({ length: 100 }, String));
    expect(app.caches.find('Prices.quote')?.statistics().items).toBe(1);
  });

  it('greet each user in their own way until they change it', async () => {
    const greetings = app.get(Greetings);
    const as = (userId: string) =>
      runWithContext(createContext({ userId }), () => greetings.greet());
    const ann = await as('ann');
    await expect(as('ann')).resolves.toBe(ann);
    await expect(as('bob')).resolves.not.toBe(ann);
    await greetings.change();
    await expect(as('ann')).resolves.not.toBe(ann);
  });

  it('cache responses until a write', async () => {
    const ask = async (path: string, body?: object) => {
      const put = {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      };
      const response = await fetch(`${app.url}/orders/${path}`, body === undefined ? {} : put);
      return [response.headers.get('x-cache'), await response.json()];
    };
    await ask('9', { customer: 'eve' });
    const eve = { id: '9', customer: 'eve' };
    await expect(ask('9')).resolves.toEqual(['MISS', eve]);
    await expect(ask('9')).resolves.toEqual(['L1', eve]);
    await expect(ask('by-customer/eve?page=1')).resolves.toEqual(['MISS', [eve]]);
    await expect(ask('by-customer/eve')).resolves.toEqual(['L1', [eve]]);
    await ask('9', { customer: 'eva' });
    await expect(ask('9')).resolves.toEqual(['MISS', { id: '9', customer: 'eva' }]);
    await expect(ask('by-customer/eve')).resolves.toEqual(['MISS', []]);
  });

  it('do several things at once', async () => {
    const orders = app.get(Orders);
    await orders.find('10');
    await app.get(Imports).run('first');
    expect(app.caches.find('orders')?.statistics().items).toBe(0);
    await expect(app.caches.find('imports')?.get('import:first')).resolves.toEqual({
      id: 'first',
      rows: 5,
    });
  });
});
