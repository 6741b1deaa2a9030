import { once } from 'node:events';
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  gunzipSync,
  gzipSync,
  inflateSync,
} from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApi, type TestApi } from './support/app.js';

const UNPACK: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  br: (bytes) => brotliDecompressSync(bytes),
  gzip: (bytes) => gunzipSync(bytes),
  deflate: (bytes) => inflateSync(bytes),
};
const MIB = 1024 * 1024;
const QUICK = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

let api: TestApi;
let token: string;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** After unpacking. */
  readonly text: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** What goes over the wire, which `fetch` does not show. */
async function send(
  path: string,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<Answer> {
  const request = httpRequest(api.url + path, {
    method,
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
  });
  request.end(body);
  const [response] = await once(request, 'response');
  const bytes = await buffer(response);
  const encoding = response.headers['content-encoding'];
  return {
    status: response.statusCode,
    headers: response.headers,
    bytes,
    text: String(encoding === undefined ? bytes : UNPACK[encoding]?.(bytes)),
  };
}

const codeOf = ({ text }: Answer): string => JSON.parse(text).code;

const entries = (count: number): string =>
  Array.from({ length: count }, (_, at) =>
    JSON.stringify({ text: `Entry ${at} speaks of ${at % 7} things.`, author: 'ann' }),
  ).join('\n');

beforeAll(async () => {
  api = await startTestApi({ PANTHEON_COMPRESSION_MAX_INFLATION: '50' });
  token = await api.login();
  const body = { name: 'notes', kind: 'document' };
  await api.request('POST', '/v1/sources', { token, body });
  await api.request('POST', '/v1/sources/notes/entries/bulk', {
    token,
    headers: { 'content-type': 'application/x-ndjson' },
    body: entries(400),
  });
});
afterAll(() => api.close());

const PAGE = '/v1/sources/notes/entries?limit=100&fields=text';

describe('an answer', () => {
  it.each([
    ['gzip', 'gzip'],
    ['deflate', 'deflate'],
    ['br', 'br'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip;q=1.0, br;q=0.5', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *;q=0.1', 'gzip'],
    ['x-gzip', 'gzip'],
  ])('to a client that accepts %s comes as %s, and is the same then', async (accepted, coding) => {
    const plain = await send(PAGE);
    const packed = await send(PAGE, { headers: { 'accept-encoding': accepted } });
    expect(packed.headers).toMatchObject({
      'content-encoding': coding,
      'content-length': String(packed.bytes.length),
      'content-type': 'application/json; charset=utf-8',
    });
    expect(packed.headers.vary).toContain('accept-encoding');
    expect(packed.text).toBe(plain.text);
    expect(packed.bytes.length).toBeLessThan(plain.bytes.length * 0.15);
  });

  it.each([[undefined], ['identity'], ['identity, gzip;q=0.5'], ['gzip;q=0'], ['zstd'], ['']])(
    'to a client that accepts %s comes as it is, and tells caches that others get another',
    async (accepted) => {
      const headers: Record<string, string> =
        accepted === undefined ? {} : { 'accept-encoding': accepted };
      const { headers: got, text } = await send(PAGE, { headers });
      expect(got['content-encoding']).toBeUndefined();
      expect(got.vary).toContain('accept-encoding');
      expect(JSON.parse(text).items).toHaveLength(100);
    },
  );

  it('stays as it is when it is small, or must not be changed', async () => {
    const gzip = { 'accept-encoding': 'gzip' };
    const small = await send(`${PAGE}&limit=1`, { headers: gzip });
    expect(small.headers['content-encoding']).toBeUndefined();
    expect(small.headers.vary).toBeUndefined();
    const untouched = await send(PAGE, { headers: { ...gzip, 'cache-control': 'no-transform' } });
    expect(untouched.headers['content-encoding']).toBeUndefined();
  });

  it('with secrets is never compressed', async () => {
    const answer = await send('/v1/auth/users?limit=1000', {
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.headers.vary ?? '').not.toContain('accept-encoding');
  });

  it('to HEAD has no body, and the headers of the bytes as they are', async () => {
    const head = await send(PAGE, { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } });
    expect(head.bytes).toHaveLength(0);
    expect(head.headers['content-encoding']).toBeUndefined();
  });
});

describe('a stream of lines', () => {
  it('is compressed as it comes, every line in time', async () => {
    const plain = await send('/v1/sources/notes/entries/stream?fields=text');
    for (const coding of ['gzip', 'br', 'deflate']) {
      const packed = await send('/v1/sources/notes/entries/stream?fields=text', {
        headers: { 'accept-encoding': coding },
      });
      expect(packed.headers).toMatchObject({
        'content-encoding': coding,
        'transfer-encoding': 'chunked',
      });
      expect(packed.text).toBe(plain.text);
      expect(packed.bytes.length).toBeLessThan(plain.bytes.length * 0.2);
    }
  });
});

describe('a body', () => {
  const source = (name: string): string => JSON.stringify({ name, kind: 'document' });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('may come as %s', async (encoding, pack) => {
    const answer = await send('/v1/sources', {
      method: 'POST',
      headers: { 'content-encoding': encoding },
      body: pack(source(`packed-${encoding}`)),
    });
    expect(answer.status).toBe(201);
    const bulk = await send(`/v1/sources/packed-${encoding}/entries/bulk`, {
      method: 'POST',
      headers: { 'content-encoding': encoding, 'content-type': 'application/x-ndjson' },
      body: pack(entries(1_000)),
    });
    expect(bulk.status).toBe(200);
    expect(JSON.parse(bulk.text)).toMatchObject({ inserted: 1_000, rejectedCount: 0 });
  });

  it.each([
    ['zstd', Buffer.from('{}'), 415, 'BODY_ENCODING_UNSUPPORTED'],
    ['gzip, gzip', gzipSync(gzipSync('{}')), 415, 'BODY_ENCODING_UNSUPPORTED'],
    ['gzip', Buffer.from('{}'), 400, 'BODY_ENCODING_INVALID'],
    ['gzip', gzipSync(source('cut')).subarray(0, -9), 400, 'BODY_ENCODING_INVALID'],
    ['br', Buffer.alloc(200, 7), 400, 'BODY_ENCODING_INVALID'],
    ['gzip', gzipSync('not json'), 400, 'BODY_NOT_JSON'],
  ])('that says %s and is not taken is told why', async (encoding, body, status, code) => {
    const answer = await send('/v1/sources', {
      method: 'POST',
      headers: { 'content-encoding': encoding },
      body,
    });
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    if (status === 415) expect(answer.headers['accept-encoding']).toBe('gzip, deflate, br');
  });

  it('that is a bomb is refused before it costs memory, and the next request is answered', async () => {
    const zeros = Buffer.alloc(150 * MIB);
    const bombs = [gzipSync(zeros, { level: 1 }), brotliCompressSync(zeros, QUICK)];
    for (const [at, body] of bombs.entries()) {
      const encoding = at === 0 ? 'gzip' : 'br';
      const before = process.memoryUsage.rss();
      const json = await send('/v1/sources', {
        method: 'POST',
        headers: { 'content-encoding': encoding },
        body,
      });
      expect([json.status, codeOf(json)]).toEqual([413, 'BODY_TOO_LARGE']);
      const lines = await send('/v1/sources/notes/entries/bulk', {
        method: 'POST',
        headers: { 'content-encoding': encoding, 'content-type': 'application/x-ndjson' },
        body,
      });
      expect(lines.status).toBe(413);
      expect(process.memoryUsage.rss() - before).toBeLessThan(60 * MIB);
    }
    expect((await send('/v1/sources?limit=1')).status).toBe(200);
  });

  it('of lines that grow too far is refused as such', async () => {
    const line = `${JSON.stringify({ text: 'a'.repeat(5_000) })}\n`;
    const answer = await send('/v1/sources/notes/entries/bulk', {
      method: 'POST',
      headers: { 'content-encoding': 'gzip', 'content-type': 'application/x-ndjson' },
      body: gzipSync(line.repeat(2_000)),
    });
    expect([answer.status, codeOf(answer)]).toEqual([413, 'BODY_INFLATES_TOO_FAR']);
  });
});

describe('a cached answer', () => {
  it('is compressed for all who accept it, and known by a weak tag then', async () => {
    api.platform.store.overrideAll({ 'compression.fromBytes': 256 });
    const label = 'A label that says so. '.repeat(5);
    const created = await api.request('POST', '/v1/sources', {
      token,
      body: { name: 'large', kind: 'document', label },
    });
    const path = `/v1/sources/${created.body.id}`;
    const plain = await send(path);
    const gzip = { 'accept-encoding': 'gzip' };
    const packed = await send(path, { headers: gzip });
    expect(packed.headers).toMatchObject({
      'content-encoding': 'gzip',
      'x-cache': 'L1',
      etag: `W/${plain.headers.etag}`,
    });
    expect(packed.headers.vary).toContain('accept-encoding');
    expect(plain.headers.vary).toContain('accept-encoding');
    expect(packed.text).toBe(plain.text);
    const tag = String(packed.headers.etag);
    const known = await send(path, { headers: { ...gzip, 'if-none-match': tag } });
    expect([known.status, known.bytes.length]).toEqual([304, 0]);
    api.platform.store.withdrawOverrides(['compression.fromBytes']);
  });
});

describe('the bytes of bodies', () => {
  it('are counted before and after', async () => {
    const before = await bytesOf();
    const packed = await send(PAGE, { headers: { 'accept-encoding': 'gzip' } });
    const plain = await send(PAGE);
    const after = await bytesOf();
    // The metrics themselves are bodies too.
    expect(after.raw - before.raw).toBeGreaterThanOrEqual(2 * plain.bytes.length);
    expect(after.raw - after.sent - (before.raw - before.sent)).toBe(
      plain.bytes.length - packed.bytes.length,
    );
  });
});

async function bytesOf(): Promise<{ raw: number; sent: number }> {
  const text = (await send('/metrics')).text;
  const valueOf = (name: string): number =>
    Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
  return { raw: valueOf('http_bytes_raw_total'), sent: valueOf('http_bytes_sent_total') };
}
