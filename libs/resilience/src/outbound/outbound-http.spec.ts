import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createContext, runWithContext } from '#libs/logging';
import { testPolicies } from '../policies/testing/policies.js';
import { OutboundHttp } from './outbound-http.js';
import type { OutboundIntegration } from './outbound-integration.js';
import { OutboundResponse } from './outbound-response.js';
import type { IntegrationOptions } from './outbound.types.js';

/** A service in a process of its own, which can be killed and frozen. It counts what reaches it. */
const SERVICE = `
const { createServer } = require('node:http');
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://x');
  const body = [];
  request.on('data', (chunk) => body.push(chunk)).on('end', () => {
    process.send(pathname);
    if (pathname.endsWith('/echo')) {
      const { method, url, headers } = request;
      response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(body).toString() }));
    } else if (pathname.endsWith('/status')) {
      const headers = { 'retry-after': '7', location: 'http://127.0.0.1:1/' };
      response.writeHead(Number(searchParams.get('code')), headers).end('no');
    } else if (pathname.endsWith('/large')) response.end(Buffer.alloc(Number(searchParams.get('bytes'))));
    else if (pathname.endsWith('/hang')) response.writeHead(200).write('begun');
    else response.end('{}');
  });
});
process.on('message', (message) => process.send(message));
server.listen(Number(process.argv[1]), '127.0.0.1', () => process.send(server.address().port));
`;

let service: ChildProcess;
let port = 0;
let reached: string[] = [];
const DELIVERED = 'delivered';

async function startService(): Promise<void> {
  service = spawn(process.execPath, ['-e', SERVICE, String(port)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  [port] = (await once(service, 'message')) as [number];
  service.on('message', (path) => {
    if (path !== DELIVERED) reached.push(path as string);
  });
}

/** Waits until all that has reached the service so far is told of: its answers overtake its messages. */
async function delivered(): Promise<void> {
  await new Promise<void>((resolve) => {
    const onMessage = (message: unknown): void => {
      if (message !== DELIVERED) return;
      service.off('message', onMessage);
      resolve();
    };
    service.on('message', onMessage).send(DELIVERED);
  });
}

async function killService(): Promise<void> {
  service.kill('SIGKILL');
  await once(service, 'exit');
}

beforeAll(startService);
afterAll(killService);

function integration(options: Partial<IntegrationOptions> = {}): OutboundIntegration {
  reached = [];
  return new OutboundHttp(testPolicies().policies).integration({
    name: 'stub',
    baseUrl: `http://127.0.0.1:${port}/base`,
    ...options,
  });
}

const codeOf = (error: { code?: string }): string | undefined => error.code;

describe('a request of another service', () => {
  it('goes below the base URL with what the service should know of the request at hand', async () => {
    const stub = integration({ headers: { authorization: 'Bearer secret' }, timeoutMs: 60_000 });
    const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
    const context = createContext({ requestId: 'req-1', trace });
    context.deadlineMs = performance.now() + 30_000;
    const response = await runWithContext(context, () =>
      stub.request({ method: 'POST', path: '/echo', query: { q: 'ä b' }, json: { a: 1 } }),
    );
    const echo = response.json() as Record<string, unknown> & { headers: Record<string, string> };
    expect(echo).toMatchObject({
      method: 'POST',
      url: '/base/echo?q=%C3%A4+b',
      body: '{"a":1}',
      headers: {
        authorization: 'Bearer secret',
        'content-type': 'application/json',
        'x-request-id': 'req-1',
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      },
    });
    const leftMs = Number(echo.headers['x-request-timeout-ms']);
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(30_000);
  });

  it('tells strangers nothing', async () => {
    const stub = integration({ passesContext: false });
    const response = await runWithContext(createContext(), () => stub.request({ path: 'echo' }));
    expect(Object.keys((response.json() as { headers: object }).headers).sort()).toEqual(
      expect.not.arrayContaining(['x-request-id', 'x-request-timeout-ms', 'traceparent']),
    );
  });

  it.each([
    '../admin',
    'a/../../admin',
    '%2e%2e/admin',
    '..\\admin',
    'http://127.0.0.1:1/x',
    '//127.0.0.1:1/base/x',
    'https:x',
    'ftp://127.0.0.1/base/x',
  ])('does not leave the base URL by %s', async (path) => {
    await delivered();
    const stub = integration();
    const outcome = await stub.request({ path }).then(({ status }) => status, codeOf);
    await delivered();
    expect([outcome, reached]).toEqual(
      path.startsWith('//') ? [200, ['/base/127.0.0.1:1/base/x']] : ['OUTBOUND_URL_REFUSED', []],
    );
  });

  it.each(['file:///etc/passwd', 'no url', 'http://user:password@host/', 'http://host/#x'])(
    'is not made with the base URL %s',
    (baseUrl) => {
      expect(() => integration({ baseUrl })).toThrow('The base URL of "stub"');
    },
  );

  it('follows no redirect', async () => {
    const call = integration().request({ path: 'status', query: { code: 302 } });
    await expect(call).rejects.toMatchObject({ code: 'OUTBOUND_REDIRECTED', status: 302 });
  });

  it('takes refusals for answers and failures for failures', async () => {
    const stub = integration();
    const ask = (code: number) => stub.request({ path: 'status', query: { code } });
    expect((await ask(404)).status).toBe(404);
    await expect(ask(503)).rejects.toMatchObject({
      code: 'OUTBOUND_FAILED',
      kind: 'unavailable',
      retryAfterMs: 7_000,
    });
    await expect(ask(429)).rejects.toMatchObject({ code: 'OUTBOUND_FAILED' });
  });

  it('reads no more than it may', async () => {
    const stub = integration({ maxResponseBytes: 100_000 });
    const ask = (bytes: number) => stub.request({ path: 'large', query: { bytes } });
    expect((await ask(100_000)).body).toHaveLength(100_000);
    await expect(ask(50_000_000)).rejects.toMatchObject({ code: 'OUTBOUND_RESPONSE_TOO_LARGE' });
  });

  it('is over when its time is, also in the middle of an answer', async () => {
    const call = integration({ timeoutMs: 100 }).request({ path: 'hang' });
    await expect(call).rejects.toMatchObject({ code: 'CALL_TIMED_OUT' });
  });

  it('is repeated when it does no harm', async () => {
    const retry = { retries: 1, delayMs: 1, maxDelayMs: 10_000 };
    const dead = integration({ retry, baseUrl: 'http://127.0.0.1:1' });
    await dead.request({ path: 'x' }).catch(codeOf);
    await dead.request({ method: 'POST', path: 'x' }).catch(codeOf);
    await dead
      .request({ method: 'POST', path: 'x', headers: { 'idempotency-key': '1' } })
      .catch(codeOf);
    expect(dead.policy.counts).toMatchObject({ attempts: 5, retries: 2 });
  });
});

describe.each([
  ['killed', killService, startService, 5_000],
  [
    'frozen',
    () => Promise.resolve(service.kill('SIGSTOP')),
    () => Promise.resolve(service.kill('SIGCONT')),
    150,
  ],
])('while a service is %s', (_, breakIt, mendIt, timeoutMs) => {
  it('answers by the fallback at once, and calls it for probes alone', async () => {
    const { policies, clock } = testPolicies();
    reached = [];
    const stub = new OutboundHttp(policies).integration({
      name: 'stub',
      baseUrl: `http://127.0.0.1:${port}`,
      timeoutMs,
      circuit: { minimumCalls: 5, openMs: 1_000, maxOpenMs: 1_000 },
    });
    const standIn = new OutboundResponse(200, new Headers(), Buffer.from('stand-in'));
    const ask = async (): Promise<string> =>
      (await stub.request({ path: 'x' }, () => standIn)).text();
    expect(await ask()).toBe('{}');
    await breakIt();
    for (let time = 0; stub.policy.state === 'closed' && time < 20; time += 1) {
      expect(await ask()).toBe('stand-in');
    }
    const { attempts } = stub.policy.counts;
    expect(attempts).toBeLessThanOrEqual(6);
    const durationsMs: number[] = [];
    for (let probe = 1; probe <= 3; probe += 1) {
      clock.advance(1_000);
      const probing = ask();
      for (let time = 0; time < 100; time += 1) {
        const startedMs = performance.now();
        expect(await ask()).toBe('stand-in');
        durationsMs.push(performance.now() - startedMs);
      }
      expect(await probing).toBe('stand-in');
      expect(stub.policy.counts.attempts).toBe(attempts + probe);
    }
    // The median, since the machine may pause in between.
    durationsMs.sort((a, b) => a - b);
    expect(durationsMs[150]).toBeLessThan(5);
    await mendIt();
    clock.advance(1_000);
    while (stub.policy.state !== 'closed') {
      await ask();
      clock.advance(1_000);
      await sleep(20);
    }
    expect(await ask()).toBe('{}');
  });
});
