import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Module, Post } from '@nestjs/common';
import { Priority, Public, Returns } from '#libs/http';
import { AdmissionControl, memoryPressure, remainingMs } from '#libs/resilience';
import { DataSource } from 'typeorm';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';

/** Who waits in the handlers, until the test lets them go. */
const held: (() => void)[] = [];

@Controller('v1/held')
@Public()
class HeldController {
  constructor(private readonly dataSource: DataSource) {}

  @Get()
  @Returns(200, 'Waits until it is let go')
  async hold(): Promise<{ readonly leftMs: number | null }> {
    await new Promise<void>((resolve) => held.push(resolve));
    return { leftMs: remainingMs() ?? null };
  }

  @Get('batch')
  @Priority('batch')
  @Returns(200, 'Says how much time is left')
  batch(): { readonly leftMs: number | null } {
    return { leftMs: remainingMs() ?? null };
  }

  @Post()
  @Returns(200, 'Says how much time is left')
  post(): { readonly leftMs: number | null } {
    return { leftMs: remainingMs() ?? null };
  }

  @Get('statement')
  @Returns(200, 'Keeps the database busy for half a minute')
  async statement(): Promise<object> {
    await this.dataSource.query('SELECT pg_sleep(30)');
    return {};
  }
}

@Module({ controllers: [HeldController] })
class HeldModule {}

let api: TestApi;
let control: AdmissionControl;
let admin: string;
const pending: Promise<TestAnswer>[] = [];

beforeAll(async () => {
  api = await startTestApi(
    {
      PANTHEON_ADMISSION_MIN_LIMIT: '1',
      PANTHEON_ADMISSION_INITIAL_LIMIT: '1',
      PANTHEON_ADMISSION_MAX_LIMIT: '1',
      PANTHEON_ADMISSION_ENABLED: 'true',
      PANTHEON_ADMISSION_MAX_QUEUED: '3',
      PANTHEON_ADMISSION_MAX_QUEUE_WAIT_MS: '60000',
      PANTHEON_ADMISSION_INTERACTIVE_TIMEOUT_MS: '50000',
    },
    [HeldModule],
  );
  control = api.app.get(AdmissionControl);
  admin = await api.login();
});
afterEach(async () => {
  // Those who wait come one after another.
  while (control.inFlight + control.waiting > 0) {
    for (const letGo of held.splice(0)) letGo();
    await sleep(5);
  }
  await Promise.all(pending.splice(0));
});
afterAll(() => api.close());

const get = (path = '/v1/held', headers: Record<string, string> = {}): Promise<TestAnswer> => {
  const answer = api.request('GET', path, { headers });
  pending.push(answer);
  return answer;
};

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_000 && !isSo(); tries += 1) await sleep(5);
  expect(isSo()).toBe(true);
}

/** One at work, and so many that wait. */
async function saturate(waiting: number): Promise<void> {
  void get();
  await until(() => control.inFlight === 1 && held.length === 1);
  for (let count = 0; count < waiting; count += 1) void get();
  await until(() => control.waiting === waiting);
}

describe('admission', () => {
  it('has requests wait for their turn, and refuses when too many wait', async () => {
    await saturate(3);
    const refused = await get('/v1/held', { 'x-request-id': 'refused-1' });
    expect(refused.status).toBe(503);
    expect(refused.body).toEqual({
      type: 'urn:pantheon:problem:admission-queue-full',
      title: 'Temporarily unavailable',
      status: 503,
      code: 'ADMISSION_QUEUE_FULL',
      detail: expect.stringContaining('try again'),
      requestId: 'refused-1',
    });
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(refused.headers.get('x-request-id')).toBe('refused-1');
    expect(refused.headers.get('x-content-type-options')).toBe('nosniff');
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(5);
    for (let turn = 0; turn < 4; turn += 1) {
      await until(() => held.length === 1);
      held.shift()?.();
    }
    const answers = await Promise.all(pending);
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(4);
  });

  it('refuses neither health nor metrics nor authentication', async () => {
    await saturate(3);
    for (const path of ['/health/live', '/health/ready', '/metrics']) {
      expect({ path, status: (await api.request('GET', path)).status }).toEqual({
        path,
        status: 200,
      });
    }
    expect(await api.login()).toEqual(expect.any(String));
    expect((await api.request('GET', '/v1/auth/me', { token: admin })).status).toBe(200);
  });

  it('lets what somebody waits for pass what can wait', async () => {
    await saturate(0);
    const order: string[] = [];
    const note = (name: string) => (answer: TestAnswer) => {
      order.push(name);
      return answer;
    };
    const batch = get('/v1/held/batch').then(note('batch'));
    await until(() => control.batch.line.size === 1);
    const lowered = get('/v1/held', { 'x-priority': 'batch' });
    await until(() => control.batch.line.size === 2);
    const posted = api.request('POST', '/v1/held', { body: {} }).then(note('interactive'));
    await until(() => control.interactive.line.size === 1);
    held.shift()?.();
    await Promise.all([batch, posted]);
    expect(order).toEqual(['interactive', 'batch']);
    await until(() => held.length === 1);
    held.shift()?.();
    expect((await lowered).status).toBe(200);
  });

  it('gives a request its time, and no more than is allowed', async () => {
    const left = async (path: string, headers = {}): Promise<number | null> =>
      (await api.request('GET', path, { headers })).body.leftMs;
    expect(await left('/v1/held/batch')).toBeNull();
    expect(await left('/v1/held/batch', { 'x-request-timeout-ms': 'soon' })).toBeNull();
    const short = await left('/v1/held/batch', { 'x-request-timeout-ms': '20000' });
    expect(short).toBeGreaterThan(1_000);
    expect(short).toBeLessThanOrEqual(20_000);
    const long = await left('/v1/held/batch', { 'x-request-timeout-ms': '999999999' });
    expect(long).toBeGreaterThan(500_000);
    expect(long).toBeLessThanOrEqual(600_000);
    const posted = await api.request('POST', '/v1/held', { body: {} });
    expect(posted.body.leftMs).toBeGreaterThan(20_000);
    expect(posted.body.leftMs).toBeLessThanOrEqual(50_000);
  });

  it('does not begin a request whose time is over', async () => {
    await saturate(0);
    const late = await get('/v1/held', { 'x-request-timeout-ms': '50' });
    expect(late.status).toBe(503);
    expect(late.body.code).toBe('ADMISSION_DEADLINE');
    expect(held).toHaveLength(1);
  });

  it('stops a statement of the database when the time of its request is over', async () => {
    const answer = await get('/v1/held/statement', { 'x-request-timeout-ms': '150' });
    expect(answer.status).toBe(504);
    expect(answer.body.code).toBe('DEADLINE_EXCEEDED');
    const running = await api.platform.dataSource.query<unknown[]>(
      `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep(30)'`,
    );
    expect(running).toEqual([]);
  });

  it('forgets a request whose client has left', async () => {
    await saturate(0);
    const { left } = control.interactive;
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.write('GET /v1/held HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => control.waiting === 1);
    socket.destroy();
    await until(() => control.waiting === 0);
    expect(control.interactive.left).toBe(left + 1);
    expect(held).toHaveLength(1);
  });

  it('does not read the body of what it refuses', async () => {
    await saturate(3);
    const refused = await api.request('POST', '/v1/held', { body: { text: 'x'.repeat(200_000) } });
    expect(refused.body.code).toBe('ADMISSION_QUEUE_FULL');
    expect(refused.headers.get('connection')).toBe('close');
  });

  it('puts off what can wait while memory runs short', async () => {
    const pressure = { usedBytes: 95, limitBytes: 100, source: 'setting' } as const;
    memoryPressure.publish(() => ({ level: 'critical', previous: 'normal', ...pressure }));
    const refused = await get('/v1/held/batch');
    expect(refused.body.code).toBe('ADMISSION_MEMORY');
    expect((await api.request('POST', '/v1/held', { body: {} })).status).toBe(200);
    memoryPressure.publish(() => ({ level: 'normal', previous: 'critical', ...pressure }));
    expect((await get('/v1/held/batch')).status).toBe(200);
  });

  it('shows its state, also while it refuses, and counts by class and cause', async () => {
    await saturate(3);
    await get();
    const state = await api.request('GET', '/v1/perf/admission', { token: admin });
    expect(state.body).toMatchObject({
      enabled: true,
      limit: 1,
      inFlight: 1,
      waiting: 3,
      memoryCritical: false,
      classes: { interactive: { inFlight: 1, waiting: 3 }, batch: { waiting: 0 } },
    });
    const { body } = await api.request('GET', '/metrics');
    expect(body).toContain('admission_limit 1\n');
    expect(body).toContain('admission_in_flight{class="interactive"} 1\n');
    expect(body).toContain('admission_queue_length{class="interactive"} 3\n');
    expect(body).toMatch(/admission_refused_total\{class="interactive",cause="queue-full"\} [1-9]/);
    expect(body).toContain('http_errors_total{code="ADMISSION_QUEUE_FULL"}');
    expect(body).toMatch(/admission_wait_seconds_count\{class="interactive"\} [1-9]/);
  });

  it('takes other settings over at once, and can be switched off', async () => {
    await saturate(3);
    const change = (body: object) => api.request('PATCH', '/v1/config', { token: admin, body });
    expect((await change({ 'admission.maxLimit': 4 })).status).toBe(200);
    expect((await change({ 'admission.minLimit': 4 })).status).toBe(200);
    await until(() => control.inFlight === 4);
    expect((await change({ 'admission.enabled': false })).status).toBe(200);
    void get();
    await until(() => held.length === 5);
    api.platform.store.withdrawOverrides([
      'admission.maxLimit',
      'admission.minLimit',
      'admission.enabled',
    ]);
    expect(control.inFlight).toBe(4);
    for (const letGo of held.splice(0)) letGo();
    const answers = await Promise.all(pending);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  });
});
