import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync, openSync, closeSync, fsyncSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectAll, type Figures } from '../collectors.js';
import { MetricRegistry } from '../metric-registry.js';
import { addProcessMetrics } from './process-metrics.js';
import { ProcessSampler } from './process-sampler.js';

let sampler: ProcessSampler;
let registry: MetricRegistry;

beforeEach(() => {
  sampler = new ProcessSampler();
  registry = new MetricRegistry(0);
  addProcessMetrics(registry, sampler);
});

afterEach(() => sampler.close());

async function figures(name: string): Promise<Figures> {
  const found = (await collectAll(registry.collectors, 1_000)).figures[name];
  if (found === null || found === undefined) throw new Error(`There are no figures of ${name}.`);
  return found;
}

async function reading(name: string): Promise<number> {
  const metric = registry.metrics.find((one) => one.name === name);
  return (await metric?.samples())?.[0]?.value ?? Number.NaN;
}

function burn(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;) Math.sqrt(Math.random());
}

const isLinux = process.platform === 'linux';

describe('the figures of the process', () => {
  it('agree with /proc on CPU time and memory within 5 %', async () => {
    if (!isLinux) return;
    const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']).toString());
    burn(300);
    const stat = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
    const told = await reading('process_cpu_seconds_total');
    const cpuSeconds = (Number(stat[11]) + Number(stat[12])) / ticksPerSecond;
    expect(Math.abs(told - cpuSeconds) / cpuSeconds).toBeLessThan(0.05);

    const status = readFileSync('/proc/self/status', 'utf8');
    const rssBytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
    const { rssBytes: toldRss } = await figures('memory');
    expect(Math.abs(Number(toldRss) - rssBytes) / rssBytes).toBeLessThan(0.05);
  });

  it('tell how many cores were in use and how busy the event loop was', async () => {
    // The monitor measures from its first tick on.
    await sleep(60);
    sampler.sample();
    burn(150);
    await sleep(40);
    sampler.sample();
    const cpu = await figures('cpu');
    expect(Number(cpu['percent'])).toBeGreaterThan(5);
    const loop = await figures('eventLoop');
    expect(Number(loop['utilization'])).toBeGreaterThan(0.5);
    expect(Number(loop['maxDelayMs'])).toBeGreaterThan(100);
    expect(Number(loop['maxDelayOfLastMinuteMs'])).toBeGreaterThan(100);
  });

  it('tell the garbage collections', async () => {
    const before = [...sampler.gc.values()].reduce((sum, { count }) => sum + count, 0);
    const kept: object[] = [];
    for (let at = 0; at < 2_000_000; at += 1) kept[at % 1_000] = { at };
    await sleep(50);
    const after = [...sampler.gc.values()].reduce((sum, { count }) => sum + count, 0);
    expect(after).toBeGreaterThan(before);
    expect(await figures('gc')).toMatchObject({ minor: { count: expect.any(Number) } });
  });

  it('tell the bytes that were written to the disk', async () => {
    if (!isLinux) return;
    const before = Number((await figures('disk'))['writtenBytes']);
    const path = join(tmpdir(), `pantheon-disk-${process.pid}`);
    const file = openSync(path, 'w');
    writeFileSync(file, Buffer.alloc(1024 * 1024, 'x'));
    fsyncSync(file);
    closeSync(file);
    rmSync(path);
    const written = Number((await figures('disk'))['writtenBytes']) - before;
    expect(written === 0 || written >= 1024 * 1024).toBe(true);
  });

  it('tell the traffic of the network as the kernel counts it', async () => {
    if (!isLinux) return;
    const lines = readFileSync('/proc/net/dev', 'utf8').split('\n').slice(2);
    const received = lines
      .filter((line) => line.includes(':') && !line.trim().startsWith('lo:'))
      .reduce((sum, line) => sum + Number(line.split(':')[1]?.trim().split(/\s+/)[0]), 0);
    const told = Number((await figures('network'))['receivedBytes']);
    expect(Math.abs(told - received)).toBeLessThanOrEqual(Math.max(received * 0.05, 65_536));
  });

  it('keep the samples of the last minute alone', () => {
    for (let at = 0; at < 200; at += 1) {
      burn(1.1);
      sampler.sample();
    }
    expect(sampler.lastMinute.length).toBe(60);
  });
});
