import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify';
import { PantheonError } from '#libs/core';
import {
  contextOf,
  currentContext,
  type FailedRequest,
  logRequestError,
  MemoryLogDestination,
  registerAccessLog,
  registerRequestContext,
  requestFailed,
  requestIdFrom,
  RootLogger,
} from '../index.js';

let app: FastifyInstance;
let destination: MemoryLogDestination;
let root: RootLogger;
let accessLog: boolean;
let url: string;

beforeEach(async () => {
  destination = new MemoryLogDestination();
  root = new RootLogger({ destination, service: 'test' });
  accessLog = true;
  app = fastify({
    genReqId: (raw) => requestIdFrom(raw.headers['x-request-id']),
    bodyLimit: 1_000,
  });
  registerRequestContext(app);
  registerAccessLog(app, root, () => accessLog);
  const work = async (request: FastifyRequest): Promise<object> => {
    const context = currentContext();
    await sleep(1);
    if (context !== undefined) context.userId = 'user "1"';
    root.module('things').info('handled');
    return { same: currentContext() === contextOf(request) };
  };
  const handle = (request: FastifyRequest): Promise<object> => work(request);
  app.get('/v1/things/:id', handle);
  app.post('/v1/things', handle);
  app.delete('/v1/things/:id', handle);
  app.get('/v1/broken', () => {
    throw new Error('broken');
  });
  app.get('/v1/slow', () => sleep(60_000, undefined, { ref: false }));
  app.get('/v1/stream', (_request, reply) => {
    reply.raw.writeHead(200);
    reply.raw.write('first');
    reply.hijack();
  });
  url = await app.listen({ port: 0, host: '127.0.0.1' });
});

afterEach(async () => {
  app.server.closeAllConnections();
  await app.close();
});

function lines(module: string): Record<string, unknown>[] {
  return destination.records.filter((record) => record['module'] === module);
}

async function accessLines(count: number): Promise<Record<string, unknown>[]> {
  for (let tries = 0; tries < 200 && lines('http').length < count; tries += 1) await sleep(5);
  return lines('http');
}

const GENERATED = /^[\w.-]{16,128}$/;

describe('the id of a request', () => {
  it.each(['abc', 'A-b_c.9', 'x'.repeat(128)])('is that of the client: %s', async (id) => {
    const response = await fetch(`${url}/v1/things/7`, { headers: { 'x-request-id': id } });
    expect(response.headers.get('x-request-id')).toBe(id);
    expect(lines('things')).toMatchObject([{ requestId: id, route: '/v1/things/:id' }]);
    expect(await accessLines(1)).toMatchObject([{ requestId: id }]);
  });

  it.each(['', 'a b', 'a"b', 'ä', '{}', 'x'.repeat(129), 'a,b'])(
    'is a new one when that of the client could do harm: %s',
    async (id) => {
      const headers = { 'x-request-id': Buffer.from(id).toString('latin1') };
      const response = await fetch(`${url}/v1/things/7`, { headers });
      expect(response.headers.get('x-request-id')).toMatch(GENERATED);
      expect(response.headers.get('x-request-id')).not.toBe(id);
    },
  );

  it('is another one for each request', async () => {
    const ids = await Promise.all(
      Array.from({ length: 50 }, async () =>
        (await fetch(`${url}/v1/things/7`)).headers.get('x-request-id'),
      ),
    );
    expect(new Set(ids).size).toBe(50);
  });

  it.each([
    ['an unknown path', '/nothing', {}, 404],
    ['an unknown method', '/v1/things', { method: 'PUT' }, 404],
    ['broken JSON', '/v1/things', post('{"a":'), 400],
    ['too large a body', '/v1/things', post(`"${'x'.repeat(2_000)}"`), 413],
    ['a failure', '/v1/broken', {}, 500],
  ])('is echoed on the answer to %s', async (_, path, init, status) => {
    const response = await fetch(url + path, init);
    expect(response.status).toBe(status);
    const id = response.headers.get('x-request-id');
    expect(id).toMatch(GENERATED);
    expect(await accessLines(1)).toMatchObject([{ requestId: id, status }]);
  });
});

function post(body: string): RequestInit {
  return { method: 'POST', body, headers: { 'content-type': 'application/json' } };
}

describe('the context of a request', () => {
  it.each([
    ['/v1/things/7', {}],
    ['/v1/things', post('{"a":1}')],
    ['/v1/things', post(JSON.stringify('x'.repeat(900)))],
    ['/v1/things/7', { method: 'DELETE' }],
  ])('holds in the handler of %s %j', async (path, init) => {
    const response = await fetch(url + path, init);
    expect(await response.json()).toEqual({ same: true });
    expect(lines('things')[0]?.['requestId']).toBe(response.headers.get('x-request-id'));
  });

  it('never mixes requests that are under way at the same time', async () => {
    const ids = Array.from({ length: 100 }, (_, at) => `r-${at}`);
    await Promise.all(
      ids.map((id, at) =>
        fetch(`${url}/v1/things${at % 2 === 0 ? `/${at}` : ''}`, {
          ...(at % 2 === 0 ? {} : post('{}')),
          headers: { 'x-request-id': id, 'content-type': 'application/json' },
        }),
      ),
    );
    expect(
      lines('things')
        .map(({ requestId }) => String(requestId))
        .toSorted((one, other) => one.localeCompare(other)),
    ).toEqual(ids.toSorted((one, other) => one.localeCompare(other)));
  });
});

describe('the access log', () => {
  it('has one line a request, with the template of its route', async () => {
    await fetch(`${url}/v1/things/secret-id?token=secret-token`);
    expect(await accessLines(1)).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/Z$/),
        service: 'test',
        pid: process.pid,
        module: 'http',
        requestId: expect.stringMatching(GENERATED),
        method: 'GET',
        route: '/v1/things/:id',
        status: 200,
        durationMs: expect.any(Number),
        bytes: '{"same":true}'.length,
        userId: 'user "1"',
        msg: 'request',
      },
    ]);
    expect(destination.lines.join('')).not.toContain('secret');
  });

  it('has a line without a route for an unknown path', async () => {
    await fetch(`${url}/"\n/secret`);
    expect(await accessLines(1)).toMatchObject([{ route: null, status: 404 }]);
  });

  it('has failures at level error, and refusals at info', async () => {
    await fetch(`${url}/v1/broken`);
    await fetch(`${url}/nothing`);
    expect((await accessLines(2)).map(({ level }) => level)).toEqual(['error', 'info']);
  });

  it('has a line for a client that left before its answer, with status 499', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('GET /v1/slow HTTP/1.1\r\nHost: a\r\nX-Request-Id: left\r\n\r\n');
    await sleep(50);
    socket.destroy();
    expect(await accessLines(1)).toMatchObject([
      { requestId: 'left', route: '/v1/slow', status: 499, aborted: true },
    ]);
  });

  it('has a line for a stream that its reader ended', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('GET /v1/stream HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    expect(lines('http')).toEqual([]);
    socket.destroy();
    expect(await accessLines(1)).toMatchObject([{ status: 200, aborted: true }]);
  });

  it('has each request of a connection once, whatever its time', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const request = 'GET /v1/things/7 HTTP/1.1\r\nHost: a\r\n\r\n';
    socket.write(request.repeat(20));
    expect(await accessLines(20)).toHaveLength(20);
    socket.destroy();
    await sleep(20);
    const all = lines('http');
    expect(all).toHaveLength(20);
    expect(new Set(all.map(({ requestId }) => requestId)).size).toBe(20);
    for (const { durationMs } of all) expect(durationMs).toBeGreaterThan(0);
  });

  it('is silent when it is switched off, or its module is', async () => {
    accessLog = false;
    await fetch(`${url}/v1/things/7`);
    accessLog = true;
    root.setLevels({ http: 'error' });
    await fetch(`${url}/v1/things/7`);
    await fetch(`${url}/v1/broken`);
    expect(await accessLines(1)).toMatchObject([{ status: 500 }]);
  });
});

describe('logRequestError', () => {
  const error = new PantheonError('THING_BROKEN', 'It broke', { kind: 'internal' });

  it('writes a failure with its stack, and a refusal without', () => {
    root.setLevels({ default: 'debug' });
    logRequestError(root, error, { status: 500, code: 'THING_BROKEN', requestId: 'r' });
    logRequestError(root, error, { status: 404, code: 'NOT_FOUND', requestId: 'r' });
    const [failure, refusal] = destination.records;
    expect(failure).toMatchObject({
      level: 'error',
      requestId: 'r',
      code: 'THING_BROKEN',
      err: { stack: expect.stringContaining('http-logging.spec') },
    });
    expect(refusal).toMatchObject({ level: 'debug', code: 'NOT_FOUND', requestId: 'r' });
    expect(refusal).not.toHaveProperty('err');
  });

  it('publishes what was answered', () => {
    const published: FailedRequest[] = [];
    const stop = requestFailed.subscribe((failure) => published.push(failure));
    logRequestError(root, error, { status: 404, code: 'NOT_FOUND', requestId: 'r' });
    stop();
    expect(published).toEqual([{ status: 404, code: 'NOT_FOUND', requestId: 'r' }]);
  });
});
