import { once } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable, type Stream } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import { Compression } from '#libs/http';
import { compressAnswers } from './compression.js';

const OPTIONS = {
  enabled: true,
  fromBytes: 1_000,
  gzipLevel: 6,
  brotliQuality: 4,
  maxConcurrent: 1,
};

let app: FastifyInstance;
let compression: Compression;
let url: string;

beforeEach(async () => {
  compression = new Compression(() => OPTIONS);
  app = fastify();
  compressAnswers(app, compression, (name) => name === 'Keys.issue');
  app.get('/ready', (_, reply) => reply.header('etag', '"one"').send({ text: 'x'.repeat(5_000) }));
  app.get('/keys', {
    handler: {
      'Keys.issue': (_: unknown, reply: FastifyReply) => reply.send({ text: 'x'.repeat(5_000) }),
    }['Keys.issue'],
  });
  app.get('/image', (_, reply) => reply.type('image/png').send(Buffer.alloc(5_000)));
  app.get('/untouched', (_, reply) =>
    reply.header('cache-control', 'public, no-transform').send({ text: 'x'.repeat(5_000) }),
  );
});
afterEach(() => app.close());

async function listen(): Promise<void> {
  await app.listen({ port: 0, host: '127.0.0.1' });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

async function open(path: string): Promise<IncomingMessage> {
  const request = get(url + path, { agent: false, headers: { 'accept-encoding': 'gzip' } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return response;
}

/** Sends no line before the test does. */
function streamAt(path: string): Readable[] {
  const sources: Readable[] = [];
  app.get(path, (_, reply) => {
    const source = new Readable({ read: () => undefined });
    source.push('{"line":1}\n');
    sources.push(source);
    return reply.type('application/x-ndjson').send(source);
  });
  return sources;
}

async function headersOf(path: string): Promise<IncomingHttpHeaders> {
  if (!app.server.listening) await listen();
  const response = await open(path);
  response.resume();
  return response.headers;
}

/** Whatever it says of the end. */
function closed(source: Stream): Promise<void> {
  source.on('error', () => undefined);
  return new Promise((resolve) => void source.once('close', resolve));
}

describe('compressed answers', () => {
  it('weaken the tag of the bytes', async () => {
    expect(await headersOf('/ready')).toMatchObject({
      'content-encoding': 'gzip',
      etag: 'W/"one"',
      vary: 'accept-encoding',
    });
  });

  it.each(['/image', '/untouched', '/keys'])('are not those of %s', async (path) => {
    const headers = await headersOf(path);
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers.vary).toBeUndefined();
  });

  it('are left out while as many as allowed are being made', async () => {
    await listen();
    const answers = await Promise.all([headersOf('/ready'), headersOf('/ready')]);
    const codings = answers.map((headers) => headers['content-encoding']);
    expect(new Set(codings)).toEqual(new Set(['gzip', undefined]));
    expect(compression.figures).toMatchObject({ skipped: 1, answers: { gzip: 1 } });
  });

  it('of a stream arrive as it goes on, and end it when the client leaves', async () => {
    const source = new Readable({ read: () => undefined });
    app.get('/stream', (_, reply) => reply.type('application/x-ndjson').send(source));
    await listen();
    const opened = open('/stream');
    source.push('{"line":1}\n');
    const response = await opened;
    const lines = response.pipe(createGunzip());
    expect(String((await once(lines, 'data'))[0])).toBe('{"line":1}\n');
    source.push('{"line":2}\n');
    expect(String((await once(lines, 'data'))[0])).toBe('{"line":2}\n');
    response.destroy();
    await closed(source);
  });

  it('of a stream wait for a client that reads slowly', async () => {
    let made = 0;
    const source = new Readable({
      read() {
        made += 1;
        this.push(Buffer.from(Array.from({ length: 64 }, () => Math.random()).join()));
      },
    });
    app.get('/stream', (_, reply) => reply.type('text/plain').send(source));
    await listen();
    const response = await open('/stream');
    response.pause();
    let before = -1;
    // Until sockets and buffers are full.
    while (made !== before) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(made).toBeGreaterThan(0);
    response.destroy();
    await closed(source);
  });

  it('of streams are as many at once as are allowed, whatever else is compressed', async () => {
    const sources = streamAt('/stream');
    await listen();
    const first = await open('/stream');
    const second = await open('/stream');
    expect([first, second].map(({ headers }) => headers['content-encoding'])).toEqual([
      'gzip',
      undefined,
    ]);
    expect(String((await once(second, 'data'))[0])).toBe('{"line":1}\n');
    expect(await headersOf('/ready')).toMatchObject({ 'content-encoding': 'gzip' });
    expect(compression.figures.skipped).toBe(1);
    sources[0]?.push(null);
    await closed(first.resume());
    expect(await headersOf('/stream')).toMatchObject({ 'content-encoding': 'gzip' });
    for (const source of sources) source.destroy();
  });

  it('of streams keep no place when the client leaves, even before the answer', async () => {
    let arrived = (): void => undefined;
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    const source = new Readable({ read: () => undefined });
    app.get('/late', async (request, reply) => {
      arrived();
      await closed(request.raw.socket);
      return reply.type('application/x-ndjson').send(source);
    });
    const sources = streamAt('/stream');
    await listen();
    const impatient = get(`${url}/late`, { headers: { 'accept-encoding': 'gzip' } });
    impatient.on('error', () => undefined);
    await arrival;
    impatient.destroy();
    await closed(source);
    const left = await open('/stream');
    expect(left.headers['content-encoding']).toBe('gzip');
    left.destroy();
    await closed(sources[0] as Readable);
    await new Promise(setImmediate);
    expect(await headersOf('/stream')).toMatchObject({ 'content-encoding': 'gzip' });
    for (const one of sources) one.destroy();
  });
});
