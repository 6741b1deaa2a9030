import { get as httpGet } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Res, StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Public } from '#libs/http';
import { Cacheable } from '../decorators/cacheable.decorator.js';
import { closeApps, handler, start as startWith } from './testing/counted-app.js';

let gate: Promise<void> | undefined;

/** Keeps handlers from answering, until what it gives is called. */
function hold(): () => void {
  let open = (): void => undefined;
  gate = new Promise((resolve) => (open = resolve));
  return open;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(1);
}

@Public()
@Controller('v1/things')
class ThingsController {
  @Get('slow')
  @Cacheable({ varyBy: [] })
  async slow(): Promise<object> {
    handler.runs += 1;
    const mine = handler.runs;
    await gate;
    return { run: mine };
  }

  @Get('cookie')
  @Cacheable({ varyBy: [] })
  async cookie(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    handler.runs += 1;
    const mine = handler.runs;
    await gate;
    void reply.header('set-cookie', `session=${mine}`);
    return { run: mine };
  }

  @Get('stream')
  @Cacheable({ varyBy: [] })
  stream(): StreamableFile {
    handler.runs += 1;
    return new StreamableFile(Readable.from([`run ${handler.runs}`]), { type: 'text/plain' });
  }

  @Get('unless')
  @Cacheable({ varyBy: [], unless: (value: { runs: number }) => value.runs === 1 })
  unless(): { runs: number } {
    handler.runs += 1;
    return { runs: handler.runs };
  }
}

const start = () => startWith([ThingsController]);

afterEach(async () => {
  await closeApps();
  gate = undefined;
});

describe('a GET handler with @Cacheable', () => {
  it('runs once for a hundred requests at a time', async () => {
    const app = await start();
    const open = hold();
    const asked = Array.from({ length: 100 }, () => app.get('/v1/things/slow'));
    await until(() => handler.runs > 0);
    await sleep(50);
    open();
    const answers = await Promise.all(asked);
    expect(handler.runs).toBe(1);
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['{"run":1}']));
  });

  it('goes on for the others when the one who came first leaves', async () => {
    const app = await start();
    const open = hold();
    const leaver = httpGet(`${app.url}/v1/things/slow`, { agent: false });
    leaver.on('error', () => undefined);
    await until(() => handler.runs > 0);
    const other = app.get('/v1/things/slow');
    leaver.destroy();
    await sleep(20);
    open();
    expect((await other).text).toBe('{"run":1}');
    expect(handler.runs).toBe(1);
  });

  it('does not store what was made from data before an eviction', async () => {
    const app = await start();
    const open = hold();
    const begun = app.get('/v1/things/slow');
    await until(() => handler.runs > 0);
    await app.hub.clear();
    const after = app.get('/v1/things/slow');
    await until(() => handler.runs > 1);
    open();
    expect((await begun).text).toBe('{"run":1}');
    expect((await after).text).toBe('{"run":2}');
    expect((await app.get('/v1/things/slow')).text).toBe('{"run":2}');
  });
});

describe('what is for one client alone', () => {
  it('goes to that client when it sets a cookie, while others run the handler themselves', async () => {
    const app = await start();
    const open = hold();
    const asked = Array.from({ length: 3 }, () => app.get('/v1/things/cookie'));
    await until(() => handler.runs > 0);
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
    expect(handler.runs).toBe(4);
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
