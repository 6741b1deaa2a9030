import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { MetricRegistry } from '../metric-registry.js';
import { WINDOWS } from '../sketch/time-slots.js';
import { WindowSummarizer } from '../window-summary.js';
import { HttpMetrics } from './http-metrics.js';

const OPTIONS = {
  maxHttpLabelSets: 10,
  maxHttpStatusSets: 20,
  maxErrorCodes: 10,
  maxTrackedUsers: 100,
};
const [MINUTE, FIVE_MINUTES, QUARTER] = WINDOWS;

let clock: ManualClock;
let registry: MetricRegistry;
let http: HttpMetrics;

beforeEach(() => {
  clock = new ManualClock();
  registry = new MetricRegistry(clock.monotonicMs());
  http = new HttpMetrics(registry, OPTIONS);
});

function request(values: Partial<Parameters<HttpMetrics['record']>[0]> = {}): void {
  http.record({
    route: '/v1/things/:id',
    method: 'GET',
    status: 200,
    durationMs: 10,
    userId: undefined,
    ...values,
  });
}

function pass(seconds: number): void {
  clock.advance(seconds * 1_000);
  registry.advanceTo(clock.monotonicMs());
}

function summary() {
  const recorders = new Map([['all', http.durations.recorders()]]);
  return new WindowSummarizer().summarize(recorders, clock.monotonicMs(), registry.startedAtMs);
}

async function values(name: string): Promise<Record<string, number>> {
  const metric = registry.metrics.find((one) => one.name === name);
  const samples = (await metric?.samples()) ?? [];
  return Object.fromEntries(
    samples.map(({ labels, extra, value }) => [
      Object.values({ ...labels, ...extra }).join(' '),
      value,
    ]),
  );
}

describe('HttpMetrics', () => {
  it('counts by route, method and status', async () => {
    request();
    request();
    request({ status: 404 });
    request({ method: 'POST', status: 201 });
    expect(await values('http_requests_total')).toEqual({
      '/v1/things/:id GET 200': 2,
      '/v1/things/:id GET 404': 1,
      '/v1/things/:id POST 201': 1,
    });
  });

  it('puts requests without a route and unusual methods under one label each', async () => {
    for (let at = 0; at < 50; at += 1) {
      request({ route: undefined, method: `M${at}`, status: 404 });
    }
    expect(await values('http_requests_total')).toEqual({ '<unmatched> <other> 404': 50 });
  });

  it('puts label values beyond the bound into one series, and loses no request', async () => {
    for (let at = 0; at < 500; at += 1) request({ route: `/r${at}`, status: 200 + (at % 300) });
    const counters = await values('http_requests_total');
    expect(Object.keys(counters)).toHaveLength(OPTIONS.maxHttpStatusSets + 1);
    expect(counters['<other> <other> <other>']).toBe(500 - OPTIONS.maxHttpStatusSets);
    expect(http.durations.recorders()).toHaveLength(OPTIONS.maxHttpLabelSets + 1);
    expect(summary().total['1m'].count).toBe(500);
  });

  it('exports histograms whose buckets count what is below their bounds', () => {
    for (const durationMs of [4.9, 5.1, 9.9, 99, 101, 2_400, 60_000]) request({ durationMs });
    const buckets = Object.fromEntries(
      http.durations
        .samples()
        .filter(({ name }) => name?.endsWith('_bucket'))
        .map(({ extra, value }) => [extra?.['le'], value]),
    );
    expect(buckets).toEqual({
      '0.005': 1,
      '0.01': 3,
      '0.025': 3,
      '0.05': 3,
      '0.1': 4,
      '0.25': 5,
      '0.5': 5,
      '1': 5,
      '2.5': 6,
      '+Inf': 7,
    });
    const total = (name: string): number | undefined =>
      http.durations.samples().find((sample) => sample.name === name)?.value;
    expect(total('http_request_duration_seconds_count')).toBe(7);
    expect(total('http_request_duration_seconds_sum')).toBeCloseTo(62.6199, 4);
  });

  it('never lowers what it exports when time passes', () => {
    let last = 0;
    for (let second = 0; second < 2_000; second += 7) {
      request();
      pass(7);
      const count = http.durations.samples().at(-1)?.value ?? 0;
      expect(count).toBeGreaterThan(last);
      last = count;
    }
  });

  it('keeps windows of 1, 5 and 15 minutes apart', () => {
    request({ durationMs: 900 });
    pass(20);
    request({ durationMs: 100 });
    expect(summary().total).toMatchObject({ '1m': { count: 2, maxMs: 900 } });
    pass(50);
    expect(summary().total).toMatchObject({ '1m': { count: 1 }, '5m': { count: 2 } });
    pass(270);
    expect(summary().total).toMatchObject({ '5m': { count: 0 }, '15m': { count: 2 } });
    pass(900);
    expect(summary().total['15m']).toEqual({
      count: 0,
      perSecond: 0,
      p50Ms: null,
      p95Ms: null,
      p99Ms: null,
      averageMs: null,
      maxMs: null,
    });
  });

  it('forgets all windows when the clock has moved on by more than they last', () => {
    request();
    pass(86_400);
    expect(summary().total['15m'].count).toBe(0);
  });

  it('tells the rate over the time that was watched, also right after the start', () => {
    pass(10);
    for (let at = 0; at < 100; at += 1) request();
    expect(summary().total['1m'].perSecond).toBeCloseTo(10, 1);
    expect(summary().total['15m'].perSecond).toBeCloseTo(10, 1);
    for (let second = 0; second < 1_200; second += 1) {
      pass(1);
      for (let at = 0; at < 20; at += 1) request();
    }
    for (const { name } of WINDOWS) {
      const { perSecond } = summary().total[name];
      expect(Math.abs(perSecond - 20)).toBeLessThan(0.5);
    }
  });

  it('counts distinct users by window, and says when there are more than it can tell', () => {
    for (const userId of ['a', 'b', 'a', 'a']) request({ userId });
    pass(100);
    request({ userId: 'c' });
    expect([MINUTE, FIVE_MINUTES, QUARTER].map((window) => http.users.countIn(window))).toEqual([
      1, 3, 3,
    ]);
    pass(900);
    expect(http.users.countIn(QUARTER)).toBe(0);
    for (let at = 0; at < 500; at += 1) request({ userId: `u${at}` });
    expect(http.users.countIn(MINUTE)).toBe(100);
    expect(http.users.isFull).toBe(true);
  });

  it('tells the peak of requests under way, and what is under way now', () => {
    for (let at = 0; at < 5; at += 1) http.started();
    for (let at = 0; at < 4; at += 1) http.finished();
    pass(90);
    expect(http.inFlight).toBe(1);
    expect(http.peakInFlight(MINUTE)).toBe(1);
    expect(http.peakInFlight(FIVE_MINUTES)).toBe(5);
  });

  it('counts errors by code, a bounded number of codes', () => {
    http.recordError('NOT_FOUND');
    pass(120);
    http.recordError('CONFLICT');
    http.recordError('CONFLICT');
    expect(http.errorsIn(MINUTE)).toEqual({ CONFLICT: 2 });
    expect(Object.entries(http.errorsIn(QUARTER))).toEqual([
      ['CONFLICT', 2],
      ['NOT_FOUND', 1],
    ]);
    for (let at = 0; at < 100; at += 1) http.recordError(`CODE_${at}`);
    expect(Object.keys(http.errorsIn(MINUTE))).toHaveLength(OPTIONS.maxErrorCodes);
    expect(http.errorsIn(MINUTE)['<other>']).toBe(92);
  });

  it('leaves streams out of the durations', async () => {
    request({ durationMs: undefined });
    expect(summary().total['1m'].count).toBe(0);
    expect(await values('http_requests_total')).toEqual({ '/v1/things/:id GET 200': 1 });
  });
});
