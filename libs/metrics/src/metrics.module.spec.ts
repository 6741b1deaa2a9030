import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Controller, Get, HttpException, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigModule, SettingsStore } from '#libs/config';
import { Clock, SystemClock } from '#libs/core';
import {
  currentContext,
  LoggingModule,
  MemoryLogDestination,
  registerRequestContext,
  requestFailed,
  RootLogger,
} from '#libs/logging';
import {
  Metrics,
  MetricsController,
  MetricsModule,
  metricsSettings,
  PerfMetricsController,
  registerHttpMetrics,
} from './index.js';
import { metricsSnapshotSchema } from './metrics-snapshot.js';

@Controller('v1/things')
class ThingsController {
  @Get(':id')
  read(): object {
    const context = currentContext();
    if (context !== undefined) context.userId = 'user-1';
    return { ok: true };
  }

  @Get(':id/broken')
  broken(): never {
    throw new HttpException('broken', 503);
  }
}

@Module({})
class Root {}

@Module({ providers: [{ provide: Clock, useClass: SystemClock }], exports: [Clock] })
class ClockModule {}

let app: NestFastifyApplication;
let store: SettingsStore;
let url: string;

beforeEach(async () => {
  store = new SettingsStore([metricsSettings], {
    overrides: { metrics: { streamIntervalMs: 200, maxStreams: 2 } },
  });
  const log = new RootLogger({ destination: new MemoryLogDestination(), service: 'test' });
  app = await NestFactory.create<NestFastifyApplication>(
    {
      module: Root,
      imports: [
        { module: ClockModule, global: true },
        ConfigModule.forRoot(store),
        LoggingModule.forRoot(log),
        MetricsModule.forRoot({ service: 'test' }),
      ],
      controllers: [ThingsController, MetricsController, PerfMetricsController],
    },
    new FastifyAdapter(),
    { logger: false },
  );
  const fastify = app.getHttpAdapter().getInstance();
  registerRequestContext(fastify);
  registerHttpMetrics(fastify, app.get(Metrics).http);
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});

afterEach(() => app.close());

async function scrape(headers: Record<string, string> = {}): Promise<[number, string]> {
  const response = await fetch(`${url}/metrics`, { headers });
  return [response.status, await response.text()];
}

describe('MetricsModule', () => {
  it('exposes requests by route template, and unknown paths under one label', async () => {
    await Promise.all(['a', 'b', 'c'].map((id) => fetch(`${url}/v1/things/${id}`)));
    await Promise.all(['x', 'y'].map((path) => fetch(`${url}/nothing/${path}`)));
    await fetch(`${url}/v1/things/a/broken`);

    const [status, text] = await scrape();

    expect(status).toBe(200);
    expect(text).toContain(
      'http_requests_total{route="/v1/things/:id",method="GET",status="200"} 3',
    );
    expect(text).toContain('http_requests_total{route="<unmatched>",method="GET",status="404"} 2');
    expect(text).toContain(
      'http_request_duration_seconds_bucket{le="+Inf",route="/v1/things/:id/broken",method="GET",status_class="5xx"} 1',
    );
    expect(text).toMatch(/^http_requests_in_flight 1$/m);
    expect(text).not.toMatch(/nothing\/x/);
  });

  it('writes only lines that are Prometheus text, each series once', async () => {
    await fetch(`${url}/v1/things/a`);
    const [, text] = await scrape();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const LINE =
      /^[a-zA-Z_:][\w:]*(\{([a-z_]+="([^"\\\n]|\\.)*",?)*\})? (NaN|[+-]?Inf|-?[\d.e+-]+)$/;
    expect(lines.filter((line) => !LINE.test(line))).toEqual([]);
    const series = lines.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(series).size).toBe(series.length);
    expect(text).toMatch(/^process_cpu_seconds_total \d/m);
    expect(text).toMatch(/^nodejs_eventloop_utilization 0/m);
  });

  it('refuses who comes by a proxy without the token, and lets in who has it', async () => {
    const foreign = { 'x-forwarded-for': '203.0.113.9' };
    expect((await scrape(foreign))[0]).not.toBe(200);
    store.overrideAll({ 'metrics.token': 'a-token-of-some-length' });
    expect(
      (await scrape({ ...foreign, authorization: 'Bearer wrong-token-of-length' }))[0],
    ).not.toBe(200);
    expect((await scrape({ ...foreign, authorization: 'Bearer a-token-of-some-length' }))[0]).toBe(
      200,
    );
    store.overrideAll({ 'metrics.access': 'token' });
    expect((await scrape())[0]).not.toBe(200);
  });

  it('tells windows by route and in all, with figures of the process', async () => {
    await Promise.all(['a', 'b', 'c'].map((id) => fetch(`${url}/v1/things/${id}`)));
    await fetch(`${url}/v1/things/a/broken`);
    requestFailed.publish(() => ({ status: 503, code: 'THING_BROKEN', requestId: 'r' }));

    const snapshot = metricsSnapshotSchema.parse(
      await (await fetch(`${url}/v1/perf/metrics`)).json(),
    );

    const { '1m': minute, '15m': quarter } = snapshot.http.windows;
    expect(minute).toMatchObject({ count: 4, failures: 1, failureRatio: 0.25, users: 1 });
    expect(minute.errorsByCode).toEqual({ THING_BROKEN: 1 });
    expect(quarter.count).toBe(4);
    expect(minute.peakInFlight).toBeGreaterThanOrEqual(1);
    expect(snapshot.routes.map(({ method, route }) => `${method} ${route}`).sort()).toEqual([
      'GET /v1/things/:id',
      'GET /v1/things/:id/broken',
    ]);
    expect(snapshot.figures['memory']).toMatchObject({ rssBytes: expect.any(Number) });
  });

  it('shows the figures of the others when one collector fails and one hangs', async () => {
    const { registry } = app.get(Metrics);
    registry.addCollector({ name: 'redis', collect: () => Promise.reject(new Error('10.0.0.1')) });
    registry.addCollector({ name: 'stuck', collect: () => new Promise(() => undefined) });
    registry.gauge('stuck_gauge', 'never tells', () => new Promise(() => undefined));
    registry.gauge('broken_gauge', 'fails', () => {
      throw new Error('no');
    });
    registry.gauge('sound_gauge', 'works', () => 7);

    const snapshot = await app.get(Metrics).snapshot();

    expect(snapshot.figures).toMatchObject({ redis: null, stuck: null, cpu: expect.anything() });
    expect(snapshot.unavailable).toEqual({
      redis: 'The figures could not be read',
      stuck: 'No answer in time',
    });
    const [status, text] = await scrape();
    expect(status).toBe(200);
    expect(text).toMatch(/^sound_gauge 7$/m);
    expect(text).not.toMatch(/^(stuck|broken)_gauge \d/m);
  });

  it('streams events until the reader leaves, and does not time the stream', async () => {
    const stream = await openStream();
    expect(stream.headers['content-type']).toBe('text/event-stream');
    expect(stream.headers['x-request-id']).toMatch(/^[\w.-]+$/);
    expect(metricsSnapshotSchema.parse((await stream.events(2))[1]).service).toBe('test');
    stream.leave();
    await until(async () => /^http_requests_in_flight 1$/m.test((await scrape())[1]));
    const snapshot = await app.get(Metrics).snapshot();
    expect(snapshot.routes.map(({ route }) => route)).not.toContain('/v1/perf/metrics/stream');
  });

  it('takes a bounded number of streams', async () => {
    const streams = await Promise.all([openStream(), openStream()]);
    expect(streams.map(({ status }) => status)).toEqual([200, 200]);
    const refused = await openStream();
    expect(refused.status).not.toBe(200);
    for (const { leave } of [...streams, refused]) leave();
    await until(async () => {
      const next = await openStream();
      next.leave();
      return next.status === 200;
    });
  });

  it('ends its streams when the application closes', async () => {
    const stream = await openStream();
    await stream.events(1);
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

interface OpenStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  events(count: number): Promise<unknown[]>;
  leave(): void;
}

/** A reader of the stream that can leave without a word, as browsers do. */
async function openStream(): Promise<OpenStream> {
  const request = get(`${url}/v1/perf/metrics/stream`, { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const received: unknown[] = [];
  let text = '';
  response.on('error', () => undefined);
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data: ')) received.push(JSON.parse(line.slice(6)));
    }
  });
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    async events(count) {
      await until(() => Promise.resolve(received.length >= count));
      return received;
    },
    leave: () => request.destroy(),
  };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('It never held.');
}
