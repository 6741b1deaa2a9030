import { once } from 'node:events';
import { get as httpGet, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header } from '@nestjs/common';
import { Compression, Public } from '#libs/http';
import { Cacheable } from '../decorators/cacheable.decorator.js';
import { type ResponseApp, startResponseApp } from './testing/response-app.js';

let runs = 0;

@Public()
@Controller('v1/texts')
class TextsController {
  @Get('large')
  @Cacheable({ varyBy: [], ttlMs: 10_000, jitter: 0 })
  large(): object {
    runs += 1;
    return { runs, text: 'Where the long texts are. '.repeat(1_000) };
  }

  @Get('small')
  @Cacheable({ varyBy: [] })
  small(): object {
    return { text: 'short' };
  }

  @Get('image')
  @Header('content-type', 'image/png')
  @Cacheable({ varyBy: [] })
  image(): string {
    return 'x'.repeat(10_000);
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

let app: ResponseApp;
let compression: Compression;
let packs: number;

async function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const request = httpGet(app.url + path, { agent: false, headers });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const { statusCode = 0 } = response;
  return { status: statusCode, headers: response.headers, bytes: await buffer(response) };
}

beforeEach(async () => {
  runs = 0;
  packs = 0;
  compression = new Compression(() => ({
    enabled: true,
    fromBytes: 1_000,
    gzipLevel: 6,
    brotliQuality: 4,
    maxConcurrent: 10,
  }));
  const compress = compression.compress.bind(compression);
  compression.compress = (body, coding) => {
    packs += 1;
    return compress(body, coding);
  };
  app = await startResponseApp({
    controllers: [TextsController],
    module: { providers: [{ provide: Compression, useValue: compression }] },
  });
});
afterEach(() => app.close());

const GZIP = { 'accept-encoding': 'gzip' };

describe('a cached answer for clients that accept compression', () => {
  it('is compressed once by coding, however many ask, and costs no run of the handler', async () => {
    const plain = await get('/v1/texts/large');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        get('/v1/texts/large', { 'accept-encoding': at % 2 === 0 ? 'gzip' : 'br, gzip' }),
      ),
    );
    for (const [at, { headers, bytes }] of answers.entries()) {
      const unpack = at % 2 === 0 ? gunzipSync : brotliDecompressSync;
      expect(unpack(bytes).equals(plain.bytes)).toBe(true);
      expect(headers).toMatchObject({
        'content-encoding': at % 2 === 0 ? 'gzip' : 'br',
        'content-length': String(bytes.length),
        vary: 'accept-encoding',
        'x-cache': 'L1',
      });
    }
    expect([packs, runs]).toEqual([2, 1]);
    expect(compression.figures.answers).toEqual({ gzip: 10, br: 10, deflate: 0 });
  });

  it('is compressed at the first time already', async () => {
    const { headers } = await get('/v1/texts/large', GZIP);
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', 'x-cache': 'MISS' });
  });

  it('has a weak tag, by which the client is told that it has it', async () => {
    const { headers } = await get('/v1/texts/large', GZIP);
    const plain = await get('/v1/texts/large');
    expect(headers.etag).toBe(`W/${plain.headers.etag}`);
    const saved = compression.figures.savedBytes;
    const again = await get('/v1/texts/large', { ...GZIP, 'if-none-match': String(headers.etag) });
    expect(again).toMatchObject({ status: 304, headers: { etag: headers.etag } });
    expect(again.bytes).toHaveLength(0);
    expect(compression.figures.savedBytes).toBe(saved);
  });

  it('is compressed anew when it is another one', async () => {
    await get('/v1/texts/large', GZIP);
    app.clock.advance(10_001);
    const { bytes } = await get('/v1/texts/large', GZIP);
    expect(JSON.parse(String(gunzipSync(bytes)))).toMatchObject({ runs: 2 });
    expect(packs).toBe(2);
  });

  it('stays as it is when it is small, no text, or not to be changed', async () => {
    for (const path of ['/v1/texts/small', '/v1/texts/image']) {
      const { headers } = await get(path, GZIP);
      expect([headers['content-encoding'], headers.vary]).toEqual([undefined, undefined]);
    }
    const untouched = await get('/v1/texts/large', { ...GZIP, 'cache-control': 'no-transform' });
    expect(untouched.headers['content-encoding']).toBeUndefined();
    expect(packs).toBe(0);
  });
});
