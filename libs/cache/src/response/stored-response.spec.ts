import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header, Param, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ManualClock } from '#libs/core';
import { Public } from '#libs/http';
import { Cacheable } from '../decorators/cacheable.decorator.js';
import { MemoryTier } from '../tier/memory.tier.js';
import { MemoryVersionStore } from '../versions/memory.version-store.js';
import {
  closeApps,
  CountedController,
  handler,
  start as startWith,
} from './testing/counted-app.js';
import type { ResponseAppOptions } from './testing/response-app.js';

@Public()
@Controller('v1/things')
class ThingsController {
  @Get('query')
  @Cacheable({ varyBy: [], tags: ['queries'] })
  query(@Query() query: object): object {
    return query;
  }

  @Get('headers')
  @Header('x-own', 'value')
  @Header('content-language', 'de')
  @Cacheable({ varyBy: ['header:Accept-Language'] })
  headers(@Req() request: FastifyRequest): string {
    handler.runs += 1;
    return `text for ${String(request.headers['accept-language'])}`;
  }

  @Get('tagged/:id')
  @Cacheable({
    varyBy: [],
    ttlMs: 10_000,
    revalidateMs: 5_000,
    staleMs: 20_000,
    tags: (thing: { id: string }) => [`thing:${thing.id}`],
  })
  tagged(@Param('id') id: string): { id: string; runs: number } {
    handler.runs += 1;
    return { id, runs: handler.runs };
  }

  @Get('plain')
  plain(): object {
    return {};
  }
}

const start = (options: Partial<ResponseAppOptions> = {}) =>
  startWith([CountedController, ThingsController], options);

afterEach(closeApps);

describe('a GET handler with @Cacheable', () => {
  it('answers again from memory with the same bytes, and tells its age', async () => {
    const app = await start();
    const first = await app.get('/v1/things/counted');
    app.clock.advance(3_000);
    const second = await app.get('/v1/things/counted');
    expect(handler.runs).toBe(1);
    expect(second.text).toBe(first.text);
    expect(first.headers).toMatchObject({ 'x-cache': 'MISS', age: '0' });
    expect(second.headers).toMatchObject({
      'x-cache': 'L1',
      age: '3',
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(first.text)),
      'cache-control': 'public, max-age=10, s-maxage=10',
    });
    expect(second.headers.etag).toMatch(/^"[\w-]{22}"$/);
    expect(second.headers.etag).toBe(first.headers.etag);
    app.clock.advance(7_001);
    expect((await app.get('/v1/things/counted')).headers['x-cache']).toBe('MISS');
    expect(handler.runs).toBe(2);
  });

  it('gives each request the headers that hooks set for it, and none of another', async () => {
    let asked = 0;
    const app = await start({
      prepare(prepared) {
        prepared
          .getHttpAdapter()
          .getInstance()
          .addHook('onRequest', (_request, reply, done) => {
            asked += 1;
            reply.header('x-asked', asked).header('vary', 'origin').header('x-own', 'of a hook');
            reply.raw.setHeader('x-raw', 'yes');
            done();
          });
      },
    });
    for (const count of ['1', '2']) {
      const { headers } = await app.get('/v1/things/headers', { 'accept-language': 'de' });
      expect(headers).toMatchObject({
        'x-asked': count,
        'x-raw': 'yes',
        vary: 'origin, accept-language',
        'x-own': 'value',
      });
    }
    const plain = await app.get('/v1/things/plain');
    expect(plain.headers['x-cache']).toBeUndefined();
    expect(plain.headers['x-asked']).toBe('3');
  });

  it('goes out the same each time, also to requests that come together', async () => {
    const app = await start();
    await app.get('/v1/things/counted');
    const one = 'GET /v1/things/counted HTTP/1.1\r\nhost: here\r\n\r\n';
    const last = one.replace('host: here', 'host: here\r\nconnection: close');
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.write(one + one + one + last);
    const answers = (await buffer(socket)).toString('utf8').split('HTTP/1.1 ').slice(1);
    expect(answers).toHaveLength(4);
    for (const answer of answers) {
      const [head = '', body] = answer.split('\r\n\r\n');
      expect(body).toBe('{"runs":1,"text":"hällo"}');
      expect(head).toMatch(/^200 OK\r\n/);
      const names = head
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(':')[0]?.toLowerCase());
      expect(new Set(names).size).toBe(names.length);
      expect(head).toContain(`content-length: ${Buffer.byteLength(body ?? '')}`);
    }
  });

  it('answers HEAD from the same entry, and fills it too', async () => {
    const app = await start();
    const head = await app.get('/v1/things/counted', {}, 'HEAD');
    expect(head).toMatchObject({ status: 200, text: '' });
    const full = await app.get('/v1/things/counted');
    expect(full.headers['x-cache']).toBe('L1');
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(full.text)));
    expect(head.headers.etag).toBe(full.headers.etag);
    const again = await app.get('/v1/things/counted', {}, 'HEAD');
    expect(again.headers).toMatchObject({ 'x-cache': 'L1', etag: full.headers.etag });
    const etag = String(full.headers.etag);
    const notModified = await app.get('/v1/things/counted', { 'if-none-match': etag }, 'HEAD');
    expect(notModified.status).toBe(304);
    expect(handler.runs).toBe(1);
  });

  it('takes the order of the query for nothing, and its values for everything', async () => {
    const app = await start();
    const first = await app.get('/v1/things/query?a=1&b=2&c=%20x');
    expect((await app.get('/v1/things/query?c=+x&b=2&a=1')).headers['x-cache']).toBe('L1');
    expect(first.headers['surrogate-key']).toBe('queries');
    const others = [
      'a=1',
      'a=1&b=2',
      'a=2&b=1&c=%20x',
      'b=2&b=1',
      'b=1&b=2',
      'b=1%2C2',
      'a=1%26b%3D2',
    ];
    for (const query of others) {
      const answer = await app.get(`/v1/things/query?${query}`);
      expect([query, answer.headers['x-cache']]).toEqual([query, 'MISS']);
    }
  });

  it('keeps status, headers and text, and varies by a header', async () => {
    const app = await start();
    const german = { 'accept-language': 'de' };
    await app.get('/v1/things/headers', german);
    const again = await app.get('/v1/things/headers', german);
    expect(again.text).toBe('text for de');
    expect(again.headers).toMatchObject({
      'x-own': 'value',
      'content-language': 'de',
      'content-type': 'text/plain; charset=utf-8',
      vary: 'accept-language',
      'x-cache': 'L1',
    });
    const none = await app.get('/v1/things/headers');
    expect(none).toMatchObject({ text: 'text for undefined' });
    expect((await app.get('/v1/things/headers', { 'accept-language': '' })).text).toBe('text for ');
    expect(handler.runs).toBe(3);
  });

  it('evicts by tag, also what only the value tells', async () => {
    const app = await start();
    const first = await app.get('/v1/things/tagged/7');
    expect(first.headers).toMatchObject({
      'surrogate-key': 'thing:7',
      'cache-control':
        'public, max-age=0, s-maxage=10, stale-while-revalidate=5, stale-if-error=20',
    });
    await app.get('/v1/things/tagged/8');
    await app.hub.invalidateTags(['thing:7']);
    expect((await app.get('/v1/things/tagged/7')).headers['x-cache']).toBe('MISS');
    expect((await app.get('/v1/things/tagged/8')).headers['x-cache']).toBe('L1');
  });
});

describe('several levels', () => {
  it('keep the bytes and the headers, and are named', async () => {
    const clock = new ManualClock();
    const tier = new MemoryTier({ clock });
    const versions = new MemoryVersionStore();
    const hub = { tiers: [{ tier }], versions };
    const one = await start({ hub });
    const first = await one.get('/v1/things/tagged/ä?x=1');
    await one.hub.drain();
    const other = await start({ hub });
    const second = await other.get('/v1/things/tagged/ä?x=1');
    expect(handler.runs).toBe(1);
    expect(second.text).toBe(first.text);
    expect(second.headers).toMatchObject({
      etag: first.headers.etag,
      'content-type': first.headers['content-type'],
      'surrogate-key': 'thing:%C3%A4',
      'x-cache': 'L2',
    });
    expect((await other.get('/v1/things/tagged/ä?x=1')).headers['x-cache']).toBe('L1');
  });
});
