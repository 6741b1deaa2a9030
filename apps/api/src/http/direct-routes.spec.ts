import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { useDirectRoutes } from './direct-routes.js';
import { RoutesModule } from './testing/routes.module.js';

/** What the handlers of routes gave to Fastify. */
const returned: unknown[] = [];

async function start(isDirect: boolean): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(RoutesModule, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  if (isDirect) expect(useDirectRoutes(app)).toBe(true);
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRoute', (route) => {
    const { handler } = route;
    route.handler = function handle(request, reply) {
      const result: unknown = handler.call(this, request, reply);
      returned.push(result);
      return result;
    };
  });
  await app.listen(0, '127.0.0.1');
  return app;
}

interface Asked {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const JSON_BODY = { 'content-type': 'application/json' };
const CALLER = { 'x-caller': 'me' };

const ASKED: readonly Asked[] = `
  unguarded object array nothing null number created dated throws rejects stream observable
  generator response own header elsewhere intercepted guarded unknown`
  .trim()
  .split(/\s+/)
  .map((path) => ({ url: `/routes/${path}` }));

const OTHERS: readonly Asked[] = [
  { url: '/routes/object', method: 'HEAD' },
  { url: '/routes/object?wait=1' },
  { url: '/routes/object?refuse=now' },
  { url: '/routes/object?refuse=then&wait=1' },
  { url: '/routes/unguarded?refuse=now' },
  { url: '/routes/guarded', headers: { 'x-let-in': 'yes' } },
  { url: '/routes/guarded?refuse=now', headers: { 'x-let-in': 'yes' } },
  { url: '/routes/params/a/b?n=7', headers: CALLER },
  { url: '/routes/params/a/b?n=7&wait=1', headers: CALLER },
  { url: '/routes/params/a/b?n=x', headers: CALLER },
  { url: '/routes/params/a/b?n=7' },
  { url: '/routes/params//b?n=7', headers: CALLER },
  { url: '/routes/query?n=8', headers: CALLER },
  { url: '/routes/query?n=x', headers: CALLER },
  { url: '/routes/query?n=8' },
  { url: '/routes/body', method: 'POST', headers: JSON_BODY, body: '{"n":1}' },
  { url: '/routes/body', method: 'POST', headers: JSON_BODY, body: '{"n":"x"}' },
  { url: '/scoped' },
  { url: '/scoped?refuse=now' },
];

describe('useDirectRoutes', () => {
  let nest: NestFastifyApplication;
  let direct: NestFastifyApplication;

  beforeAll(async () => {
    nest = await start(false);
    direct = await start(true);
  });
  afterAll(async () => {
    await nest.close();
    await direct.close();
  });

  async function ask(app: NestFastifyApplication, asked: Asked) {
    const { url, ...init } = asked;
    const answer = await fetch((await app.getUrl()) + url, { ...init, redirect: 'manual' });
    const headers = { ...Object.fromEntries(answer.headers), date: '' };
    return { status: answer.status, headers, body: await answer.text() };
  }

  it.each([...ASKED, ...OTHERS])('answers %j as Nest does', async (asked) => {
    const expected = await ask(nest, asked);
    expect(await ask(direct, asked)).toEqual(expected);
  });

  it('answers with what handlers and their parameters say', async () => {
    const { body } = await ask(direct, { url: '/routes/params/a/b?n=7', headers: CALLER });
    expect(JSON.parse(body)).toEqual({
      name: 'a',
      other: 'B',
      n: 7,
      caller: 'caller: me',
      later: 'later',
    });
  });

  it.each([
    ['/routes/object', false],
    ['/routes/query?n=8', false],
    ['/routes/array', true],
    ['/routes/object?wait=1', true],
  ])('makes a promise only where something has to be waited for: %s %s', async (url, waits) => {
    returned.length = 0;
    expect((await ask(direct, { url, headers: CALLER })).status).toBe(200);
    expect(returned.map((result) => result instanceof Promise)).toEqual([waits]);
  });
});
