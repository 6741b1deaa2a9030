import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, HttpException, NotFoundException } from '@nestjs/common';
import { Public } from '#libs/http';
import { Cacheable } from '../decorators/cacheable.decorator.js';
import { closeApps, handler, start as startWith } from './testing/counted-app.js';

let state: { status?: number } = {};

@Public()
@Controller('v1/things')
class ThingsController {
  @Get('failing')
  @Cacheable({ varyBy: [], ttlMs: 1_000, jitter: 0, staleMs: 60_000, errorThrottleMs: 0 })
  failing(): object {
    handler.runs += 1;
    if (state.status !== undefined) throw new HttpException('no', state.status);
    return { runs: handler.runs };
  }

  @Get('background')
  @Cacheable({ varyBy: [], ttlMs: 1_000, jitter: 0, revalidateMs: 60_000 })
  background(): object {
    handler.runs += 1;
    return { runs: handler.runs };
  }

  @Get('absent')
  @Cacheable({ varyBy: [], absentTtlMs: 500, jitter: 0 })
  absent(): object {
    handler.runs += 1;
    throw new NotFoundException('nothing here');
  }
}

const start = () => startWith([ThingsController]);

afterEach(async () => {
  await closeApps();
  state = {};
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
    expect(handler.runs).toBe(2);
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
    expect(handler.runs).toBe(2);
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
