/**
 * `npm run bench:metrics`: what counting and timing a request costs, alone and on a bare Fastify
 * route; how long a scrape takes; how far percentiles are from the exact ones. `--json` prints
 * one JSON document.
 */
import { createHistogram } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { fastify } from 'fastify';
import { Histogram } from 'prom-client';
import { SettingsStore } from '#libs/config';
import { SystemClock } from '#libs/core';
import { registerRequestContext, requestIdFrom } from '#libs/logging';
import { Metrics, metricsSettings, registerHttpMetrics } from '#libs/metrics';
import { DurationSketch } from '../libs/metrics/src/sketch/duration-sketch.js';
import { compareCpuPerRequest, reportForComparison } from './support/cpu-per-request.js';
import { printTable } from './support/print-table.js';

const RECORDS = 2_000_000;
const SCRAPES = 50;
const ROUNDS = 61;
const ROUND_MS = 120;
const VARIANTS = ['bare', 'request id and context', 'and metrics'] as const;
const SAMPLES = 1_000_000;
const SHARES = [0.5, 0.9, 0.95, 0.99, 0.999];

function newMetrics(): Metrics {
  const metrics = new Metrics(new SettingsStore([metricsSettings]), new SystemClock(), 'bench');
  metrics.onModuleInit();
  return metrics;
}

/** One of the servers that the comparison loads. */
async function serve(variant: string): Promise<void> {
  const app = fastify(
    variant === 'bare' ? {} : { genReqId: (raw) => requestIdFrom(raw.headers['x-request-id']) },
  );
  if (variant !== 'bare') registerRequestContext(app);
  if (variant === 'and metrics') registerHttpMetrics(app, newMetrics().http);
  app.get('/v1/things/:id', (request, reply) => {
    reply.send({ id: (request.params as { id: string }).id });
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const address = app.server.address();
  if (address !== null && typeof address === 'object') reportForComparison(address.port);
}

interface RecordCost {
  readonly recorder: string;
  readonly nsPerRecord: number;
}

/** CPU time of recording a duration: ours, and what else there is. */
function recordCosts(): RecordCost[] {
  const durations = Float64Array.from({ length: 1_024 }, () => -Math.log(1 - Math.random()) * 20);
  const { http } = newMetrics();
  const sketch = new DurationSketch();
  const native = createHistogram();
  const prom = new Histogram({
    name: 'bench_seconds',
    help: 'labelled',
    labelNames: ['route', 'method', 'status'],
    registers: [],
  });
  const userId = 'user-1';
  const recorders: Readonly<Record<string, (ms: number) => void>> = {
    'HttpMetrics: route, method, status, user': (durationMs) =>
      http.record({ route: '/v1/things/:id', method: 'GET', status: 200, durationMs, userId }),
    'sketch alone': (ms) => sketch.record(ms),
    'perf_hooks histogram alone': (ms) => native.record(Math.max(1, Math.round(ms * 1_000))),
    'prom-client histogram with 3 labels': (ms) =>
      prom.observe({ route: '/v1/things/:id', method: 'GET', status: '200' }, ms / 1_000),
  };
  return Object.entries(recorders).map(([recorder, record]) => {
    const run = (count: number): void => {
      for (let at = 0; at < count; at += 1) record(durations[at % 1_024] ?? 1);
    };
    run(RECORDS / 10);
    const cpu = process.cpuUsage();
    run(RECORDS);
    const { user, system } = process.cpuUsage(cpu);
    return { recorder, nsPerRecord: ((user + system) * 1_000) / RECORDS };
  });
}

interface ScrapeCost {
  readonly series: number;
  readonly kilobytes: number;
  readonly cpuMs: number;
  readonly medianMs: number;
  readonly snapshotMs: number;
}

/** A scrape, and a snapshot for people, with as many series as there may be of HTTP. */
async function scrapeCost(routes: number): Promise<ScrapeCost> {
  const metrics = newMetrics();
  for (let at = 0; at < 100_000; at += 1) {
    const route = `/v1/resource-${at % routes}/:id`;
    metrics.http.record({
      route,
      method: 'GET',
      status: at % 50 === 0 ? 404 : 200,
      durationMs: -Math.log(1 - Math.random()) * 20,
      userId: `user-${at % 1_000}`,
    });
  }
  const { text } = await metrics.expose();
  for (let at = 0; at < 10; at += 1) await metrics.expose();
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (let at = 0; at < SCRAPES; at += 1) {
    const startedAtMs = performance.now();
    await metrics.expose();
    times.push(performance.now() - startedAtMs);
  }
  const { user, system } = process.cpuUsage(cpu);
  const snapshots: number[] = [];
  for (let at = 0; at < SCRAPES; at += 1) {
    const startedAtMs = performance.now();
    await metrics.snapshot();
    snapshots.push(performance.now() - startedAtMs);
  }
  metrics.onModuleDestroy();
  return {
    series: text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length,
    kilobytes: Buffer.byteLength(text) / 1_000,
    cpuMs: (user + system) / 1_000 / SCRAPES,
    medianMs: middle(times),
    snapshotMs: middle(snapshots),
  };
}

interface SketchError {
  readonly distribution: string;
  readonly worstErrorPercent: number;
}

/** Percentiles of the sketch against the exact ones by nearest rank. */
function sketchErrors(): SketchError[] {
  const distributions: Readonly<Record<string, () => number>> = {
    uniform: () => Math.random() * 1_000,
    exponential: () => -Math.log(1 - Math.random()) * 20,
    'heavy-tailed': () => 0.05 / (1 - Math.random()) ** 1.2,
    'two humps': () => (Math.random() < 0.7 ? 0.3 + Math.random() : 4_000 + Math.random() * 500),
  };
  return Object.entries(distributions).map(([distribution, draw]) => {
    const values = Float64Array.from({ length: SAMPLES }, draw);
    const sketch = new DurationSketch();
    for (const value of values) sketch.record(value);
    values.sort();
    const told = sketch.percentiles(SHARES);
    const errors = SHARES.map((share, at) => {
      const exact = values[Math.ceil(share * SAMPLES) - 1] ?? Number.NaN;
      return (Math.abs((told[at] ?? Number.NaN) - exact) / exact) * 100;
    });
    return { distribution, worstErrorPercent: Math.max(...errors) };
  });
}

function middle(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const throughput = await compareCpuPerRequest({
    script: fileURLToPath(import.meta.url),
    variants: VARIANTS,
    rounds: ROUNDS,
    roundMs: ROUND_MS,
    connections: 16,
    path: '/v1/things/1',
  });
  const records = recordCosts();
  const scrapes = [await scrapeCost(20), await scrapeCost(50), await scrapeCost(80)];
  const errors = sketchErrors();
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ records, throughput, scrapes, errors }));
    return;
  }
  console.log('Cost of recording a request:');
  printTable(records);
  console.log('A bare Fastify route (interleaved rounds, medians):');
  printTable(throughput);
  console.log('Cost of /metrics, and of /v1/perf/metrics:');
  printTable(scrapes);
  console.log(`Error of percentiles over ${SAMPLES} samples:`);
  printTable(errors);
}

const variant = process.argv.find((argument) => argument.startsWith('--serve='))?.slice(8);
if (variant === undefined) {
  await main();
  process.exit(0);
} else {
  await serve(variant);
}
