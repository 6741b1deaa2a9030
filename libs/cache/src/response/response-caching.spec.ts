import { get as httpGet } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  HttpException,
  Injectable,
  NotFoundException,
  Param,
  Query,
  Req,
  Res,
  StreamableFile,
  type Type,
  UseGuards,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ManualClock, type Principal } from '#libs/core';
import { type GuardedRequest, Public, type RouteGuard } from '#libs/http';
import { Cacheable } from '../decorators/cacheable.decorator.js';
import { MemoryTier } from '../tier/memory.tier.js';
import { MemoryVersionStore } from '../versions/memory.version-store.js';
import {
  type ResponseApp,
  type ResponseAppOptions,
  startResponseApp,
} from './testing/response-app.js';

let runs = 0;
let state: { status?: number; text?: string } = {};
let gate: Promise<void> | undefined;

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(1);
}

function principal(userId: string): Principal {
  return { userId, organizationId: `org-${userId}`, email: '', roles: [], grants: [] };
}

/** Takes the user from a header; as a guard that waits, as they do. */
@Injectable()
class HeaderGuard implements CanActivate {
  static asked = 0;

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await Promise.resolve();
    HeaderGuard.asked += 1;
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const user = request.headers.authorization;
    if (user === undefined) throw new HttpException('who are you?', 401);
    request.principal = principal(user);
    return user !== 'forbidden';
  }
}

@Injectable()
class QuickGuard implements RouteGuard {
  canActivate(context: ExecutionContext): boolean {
    this.checkOf()(context.switchToHttp().getRequest<GuardedRequest>());
    return true;
  }

  checkOf() {
    return (request: GuardedRequest): void => {
      const user = request.headers.authorization;
      if (user === undefined) throw new HttpException('who are you?', 401);
      request.principal = principal(user);
    };
  }
}

@Public()
@Controller('v1/things')
class ThingsController {
  @Get('counted')
  @Cacheable({ varyBy: [], ttlMs: 10_000, jitter: 0 })
  counted(): object {
    runs += 1;
    return { runs, text: state.text ?? 'hällo' };
  }

  @Get('slow')
  @Cacheable({ varyBy: [] })
  async slow(): Promise<object> {
    runs += 1;
    const mine = runs;
    await gate;
    return { run: mine };
  }

  @Get('query')
  @Cacheable({ varyBy: [], tags: ['queries'] })
  query(@Query() query: object): object {
    runs += 1;
    return query;
  }

  @Get('headers')
  @Header('x-own', 'value')
  @Header('content-language', 'de')
  @Cacheable({ varyBy: ['header:Accept-Language'] })
  headers(@Req() request: FastifyRequest): string {
    runs += 1;
    return `text for ${String(request.headers['accept-language'])}`;
  }

  @Get('failing')
  @Cacheable({ varyBy: [], ttlMs: 1_000, jitter: 0, staleMs: 60_000, errorThrottleMs: 0 })
  failing(): object {
    runs += 1;
    if (state.status !== undefined) throw new HttpException('no', state.status);
    return { runs };
  }

  @Get('background')
  @Cacheable({ varyBy: [], ttlMs: 1_000, jitter: 0, revalidateMs: 60_000 })
  background(): object {
    runs += 1;
    return { runs };
  }

  @Get('cookie')
  @Cacheable({ varyBy: [] })
  async cookie(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    runs += 1;
    const mine = runs;
    await gate;
    void reply.header('set-cookie', `session=${mine}`);
    return { run: mine };
  }

  @Get('stream')
  @Cacheable({ varyBy: [] })
  stream(): StreamableFile {
    runs += 1;
    return new StreamableFile(Readable.from([`run ${runs}`]), { type: 'text/plain' });
  }

  @Get('unless')
  @Cacheable({ varyBy: [], unless: (value: { runs: number }) => value.runs === 1 })
  unless(): { runs: number } {
    runs += 1;
    return { runs };
  }

  @Get('absent')
  @Cacheable({ varyBy: [], absentTtlMs: 500, jitter: 0 })
  absent(): object {
    runs += 1;
    throw new NotFoundException('nothing here');
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
    runs += 1;
    return { id, runs };
  }

  @Get('plain')
  plain(): object {
    runs += 1;
    return { runs };
  }
}

@UseGuards(HeaderGuard)
@Controller('v1/mine')
class MineController {
  @Get()
  @Cacheable({ varyBy: ['user'] })
  mine(@Req() request: GuardedRequest): object {
    runs += 1;
    return { user: request.principal?.userId, runs };
  }
}

@UseGuards(QuickGuard)
@Controller('v1/quick')
class QuickController {
  @Get()
  @Cacheable({ varyBy: ['user'], tags: ['quick'] })
  quick(@Req() request: GuardedRequest): object {
    runs += 1;
    return { user: request.principal?.userId, runs };
  }
}

const apps: ResponseApp[] = [];

async function start(
  controllers: readonly Type[] = [ThingsController],
  options: Partial<ResponseAppOptions> = {},
): Promise<ResponseApp> {
  const app = await startResponseApp({ controllers, ...options });
  apps.push(app);
  return app;
}

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
  runs = 0;
  state = {};
  gate = undefined;
  HeaderGuard.asked = 0;
});

describe('a GET handler with @Cacheable', () => {
  it('answers again from memory with the same bytes, and tells its age', async () => {
    const app = await start();
    const first = await app.get('/v1/things/counted');
    app.clock.advance(3_000);
    const second = await app.get('/v1/things/counted');
    expect(runs).toBe(1);
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
    expect(runs).toBe(2);
  });

  it('gives each request the headers that hooks set for it, and none of another', async () => {
    let asked = 0;
    const app = await start([ThingsController], {
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

  it('says 304 without a body to who has it already', async () => {
    const app = await start();
    const { headers } = await app.get('/v1/things/counted');
    const etag = String(headers.etag);
    for (const value of [etag, `W/${etag}`, `"other", W/${etag}`, '*']) {
      const again = await app.get('/v1/things/counted', { 'if-none-match': value });
      expect(again).toMatchObject({ status: 304, text: '' });
      expect(again.headers).toMatchObject({ etag, 'x-cache': 'L1' });
      expect(again.headers['content-length']).toBeUndefined();
      expect(again.headers['content-type']).toBeUndefined();
    }
    expect((await app.get('/v1/things/counted', { 'if-none-match': '"other"' })).status).toBe(200);
    const modified = String(headers['last-modified']);
    const since = { 'if-modified-since': modified };
    expect((await app.get('/v1/things/counted', since)).status).toBe(304);
    const both = { ...since, 'if-none-match': '"other"' };
    expect((await app.get('/v1/things/counted', both)).status).toBe(200);
    const before = { 'if-modified-since': 'Thu, 01 Jan 2015 00:00:00 GMT' };
    expect((await app.get('/v1/things/counted', before)).status).toBe(200);
    expect((await app.get('/v1/things/counted', { 'if-modified-since': 'soon' })).status).toBe(200);
    expect(runs).toBe(1);
  });

  it('never takes two versions of one second for the same', async () => {
    const app = await start();
    const { headers } = await app.get('/v1/things/counted');
    await app.hub.clear();
    const since = { 'if-modified-since': String(headers['last-modified']) };
    const second = await app.get('/v1/things/counted', since);
    expect(second.status).toBe(200);
    expect(second.headers['last-modified']).toBeUndefined();
    expect((await app.get('/v1/things/counted', since)).status).toBe(200);
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
    expect(runs).toBe(1);
  });

  it('runs once for a hundred requests at a time', async () => {
    const app = await start();
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const asked = Array.from({ length: 100 }, () => app.get('/v1/things/slow'));
    await until(() => runs > 0);
    await sleep(50);
    open();
    const answers = await Promise.all(asked);
    expect(runs).toBe(1);
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['{"run":1}']));
  });

  it('goes on for the others when the one who came first leaves', async () => {
    const app = await start();
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const leaver = httpGet(`${app.url}/v1/things/slow`, { agent: false });
    leaver.on('error', () => undefined);
    await until(() => runs > 0);
    const other = app.get('/v1/things/slow');
    leaver.destroy();
    await sleep(20);
    open();
    expect((await other).text).toBe('{"run":1}');
    expect(runs).toBe(1);
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
    expect(runs).toBe(3);
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

  it('does not store what was made from data before an eviction', async () => {
    const app = await start();
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const begun = app.get('/v1/things/slow');
    await until(() => runs > 0);
    await app.hub.clear();
    const after = app.get('/v1/things/slow');
    await until(() => runs > 1);
    open();
    expect((await begun).text).toBe('{"run":1}');
    expect((await after).text).toBe('{"run":2}');
    expect((await app.get('/v1/things/slow')).text).toBe('{"run":2}');
  });
});

describe('failures of a cached handler', () => {
  it('are shared by those who wait, and not stored', async () => {
    const app = await start();
    state = { status: 503 };
    const failed = await app.get('/v1/things/failing');
    expect(failed).toMatchObject({ status: 503 });
    expect(failed.headers).not.toHaveProperty('etag');
    expect(failed.headers).not.toHaveProperty('cache-control');
    await app.get('/v1/things/failing');
    expect(runs).toBe(2);
  });

  it('are hidden behind what is stored, for as long as that may be stale', async () => {
    const app = await start();
    await app.get('/v1/things/failing');
    app.clock.advance(2_000);
    state = { status: 500 };
    const stale = await app.get('/v1/things/failing');
    expect(stale).toMatchObject({ status: 200, text: '{"runs":1}' });
    expect(stale.headers).toMatchObject({ 'x-cache': 'STALE', age: '2' });
    app.clock.advance(61_000);
    expect((await app.get('/v1/things/failing')).status).toBe(500);
  });

  it('of the caller are not hidden', async () => {
    const app = await start();
    await app.get('/v1/things/failing');
    app.clock.advance(2_000);
    state = { status: 410 };
    expect((await app.get('/v1/things/failing')).status).toBe(410);
    state = {};
    expect((await app.get('/v1/things/failing')).text).toBe('{"runs":3}');
  });

  it('are stored briefly when there is nothing and that is asked for', async () => {
    const app = await start();
    await app.get('/v1/things/absent');
    const again = await app.get('/v1/things/absent');
    expect(again).toMatchObject({ status: 404 });
    expect(again.headers['x-cache']).toBe('L1');
    app.clock.advance(501);
    await app.get('/v1/things/absent');
    expect(runs).toBe(2);
  });
});

describe('what is for one client alone', () => {
  it('goes to that client when it sets a cookie, while others run the handler themselves', async () => {
    const app = await start();
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const asked = Array.from({ length: 3 }, () => app.get('/v1/things/cookie'));
    await until(() => runs > 0);
    await sleep(30);
    open();
    const answers = await Promise.all(asked);
    const cookies = answers.map(({ headers }) => String(headers['set-cookie']));
    expect(new Set(cookies).size).toBe(3);
    for (const { text, headers } of answers) {
      expect(`session=${(JSON.parse(text) as { run: number }).run}`).toBe(
        String(headers['set-cookie']),
      );
      expect(headers['x-cache']).toBe('MISS');
    }
    await app.get('/v1/things/cookie');
    expect(runs).toBe(4);
  });

  it('is a stream, which is sent and not stored', async () => {
    const app = await start();
    const first = await app.get('/v1/things/stream');
    expect(first).toMatchObject({ status: 200, text: 'run 1' });
    expect(first.headers['content-type']).toBe('text/plain');
    expect((await app.get('/v1/things/stream')).text).toBe('run 2');
  });

  it('is what the decorator leaves out', async () => {
    const app = await start();
    await app.get('/v1/things/unless');
    expect((await app.get('/v1/things/unless')).text).toBe('{"runs":2}');
    expect((await app.get('/v1/things/unless')).headers['x-cache']).toBe('L1');
  });
});

describe('what a request says about caches', () => {
  it.each(['no-cache', 'max-age=0', 'Max-Age=0, private'])(
    'is heard: %s loads anew',
    async (value) => {
      const app = await start();
      await app.get('/v1/things/counted');
      const anew = await app.get('/v1/things/counted', { 'cache-control': value });
      expect(anew.headers['x-cache']).toBe('MISS');
      expect(runs).toBe(2);
      const next = await app.get('/v1/things/counted');
      expect(next.text).toBe(anew.text);
      expect(next.headers['x-cache']).toBe('L1');
    },
  );

  it('is heard: Pragma counts where there is no Cache-Control', async () => {
    const app = await start();
    await app.get('/v1/things/counted');
    await app.get('/v1/things/counted', { pragma: 'no-cache' });
    expect(runs).toBe(2);
    await app.get('/v1/things/counted', { pragma: 'no-cache', 'cache-control': 'max-age=60' });
    expect(runs).toBe(2);
  });

  it('is heard: no-store uses nothing and leaves nothing', async () => {
    const app = await start();
    const headers = { 'cache-control': 'no-store' };
    const first = await app.get('/v1/things/counted', headers);
    expect(first.headers['x-cache']).toBe('MISS');
    await app.get('/v1/things/counted');
    expect(runs).toBe(2);
    await app.get('/v1/things/counted', headers);
    expect(runs).toBe(3);
    expect((await app.get('/v1/things/counted')).text).toContain('"runs":2');
  });

  it('is heard: only-if-cached loads nothing', async () => {
    const app = await start();
    const headers = { 'cache-control': 'only-if-cached' };
    expect((await app.get('/v1/things/counted', headers)).status).toBe(500);
    expect(runs).toBe(0);
    await app.get('/v1/things/counted');
    expect(await app.get('/v1/things/counted', headers)).toMatchObject({ status: 200 });
  });

  it('is heard: max-age refuses what is older', async () => {
    const app = await start();
    await app.get('/v1/things/counted');
    app.clock.advance(5_000);
    await app.get('/v1/things/counted', { 'cache-control': 'max-age=5' });
    expect(runs).toBe(1);
    await app.get('/v1/things/counted', { 'cache-control': 'max-age=4' });
    expect(runs).toBe(2);
  });
});

describe('stale-while-revalidate', () => {
  it('answers at once with what is old, and makes the new behind it', async () => {
    const app = await start();
    await app.get('/v1/things/background');
    app.clock.advance(2_000);
    const stale = await app.get('/v1/things/background');
    expect(stale.text).toBe('{"runs":1}');
    expect(stale.headers['x-cache']).toBe('STALE');
    await app.hub.drain();
    const fresh = await app.get('/v1/things/background');
    expect(fresh.text).toBe('{"runs":2}');
    expect(fresh.headers['x-cache']).toBe('L1');
  });
});

describe.each([
  ['a guard that Nest asks', MineController, '/v1/mine'],
  ['a guard that checks the route by itself', QuickController, '/v1/quick'],
] as const)('behind %s', (_, controller, path) => {
  it('refuses before it looks into the cache', async () => {
    const app = await start([controller]);
    await app.get(path, { authorization: 'anna' });
    const refused = await app.get(path);
    expect(refused.status).toBe(401);
    expect(refused.headers['x-cache']).toBeUndefined();
    expect((await app.get(path, { 'cache-control': 'only-if-cached' })).status).toBe(401);
    expect((await app.get(path, {}, 'HEAD')).status).toBe(401);
  });

  it('gives each user the own answer', async () => {
    const app = await start([controller]);
    for (const user of ['anna', 'bert', 'anna', 'bert']) {
      const { text, headers } = await app.get(path, { authorization: user });
      expect(JSON.parse(text)).toMatchObject({ user });
      expect(headers['cache-control']).toMatch(/^private\b/);
      expect(headers.vary).toBe('authorization, x-api-key');
      expect(headers['surrogate-key']).toContain(`user:${user}`);
    }
    expect(runs).toBe(2);
    await app.hub.invalidateTags(['user:anna']);
    await app.get(path, { authorization: 'bert' });
    expect(runs).toBe(2);
    await app.get(path, { authorization: 'anna' });
    expect(runs).toBe(3);
  });
});

describe('guards', () => {
  it('run once for each request, whether it is a hit or a miss', async () => {
    const app = await start([MineController]);
    await app.get('/v1/mine', { authorization: 'anna' });
    expect(HeaderGuard.asked).toBe(1);
    await app.get('/v1/mine', { authorization: 'anna' });
    expect(HeaderGuard.asked).toBe(2);
    expect((await app.get('/v1/mine', { authorization: 'forbidden' })).status).toBe(403);
  });
});

describe('several levels', () => {
  it('keep the bytes and the headers, and are named', async () => {
    const clock = new ManualClock();
    const tier = new MemoryTier({ clock });
    const versions = new MemoryVersionStore();
    const hub = { tiers: [{ tier }], versions };
    const one = await start([ThingsController], { hub });
    const first = await one.get('/v1/things/tagged/ä?x=1');
    await one.hub.drain();
    const other = await start([ThingsController], { hub });
    const second = await other.get('/v1/things/tagged/ä?x=1');
    expect(runs).toBe(1);
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
