import { getHeapStatistics } from 'node:v8';
import type { GaugeReading } from '../families/gauge.js';
import { FiguresUnavailableError } from '../collectors.js';
import type { MetricRegistry } from '../metric-registry.js';
import { countOpenFiles, readDiskTotals, readNetworkTotals } from './proc-files.js';
import type { ProcessSample, ProcessSampler } from './process-sampler.js';

/** Adds the figures of the process to the registry, under the names that Prometheus knows. */
export function addProcessMetrics(registry: MetricRegistry, sampler: ProcessSampler): void {
  addCollectors(registry, sampler);
  addCpuAndMemory(registry);
  addEventLoop(registry, sampler);
  registry.add({
    name: 'nodejs_gc_duration_seconds',
    help: 'Time spent in garbage collection, by kind',
    type: 'summary',
    samples: () =>
      [...sampler.gc].flatMap(([kind, { count, totalMs }]) => [
        { name: 'nodejs_gc_duration_seconds_sum', labels: { kind }, value: totalMs / 1_000 },
        { name: 'nodejs_gc_duration_seconds_count', labels: { kind }, value: count },
      ]),
  });
  registry.gauge('process_open_fds', 'Open files and sockets', () => orNothing(countOpenFiles()));
  const disk = (name: 'readBytes' | 'writtenBytes') => (): Promise<GaugeReading> =>
    orNothing(readDiskTotals().then((totals) => totals[name]));
  registry.total('process_disk_read_bytes_total', 'Bytes read from disks', disk('readBytes'));
  registry.total(
    'process_disk_written_bytes_total',
    'Bytes written to disks',
    disk('writtenBytes'),
  );
  const network = (name: 'receivedBytes' | 'sentBytes') => (): Promise<GaugeReading> =>
    orNothing(readNetworkTotals().then((totals) => totals[name]));
  registry.total(
    'network_receive_bytes_total',
    'Bytes received by all interfaces but the loopback',
    network('receivedBytes'),
  );
  registry.total(
    'network_transmit_bytes_total',
    'Bytes sent by all interfaces but the loopback',
    network('sentBytes'),
  );
}

function addCollectors(registry: MetricRegistry, sampler: ProcessSampler): void {
  const last = (): ProcessSample => sampler.lastMinute.at(-1) ?? NO_SAMPLE;
  registry.addCollector({
    name: 'cpu',
    collect: () => {
      const { user, system } = process.cpuUsage();
      return {
        userSeconds: user / 1e6,
        systemSeconds: system / 1e6,
        percent: rounded(last().cpuCores * 100),
        percentOfLastMinute: rounded(averageCores(sampler.lastMinute) * 100),
      };
    },
  });
  registry.addCollector({
    name: 'memory',
    collect: () => {
      const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
      return {
        rssBytes: rss,
        heapTotalBytes: heapTotal,
        heapUsedBytes: heapUsed,
        heapLimitBytes: getHeapStatistics().heap_size_limit,
        externalBytes: external,
        arrayBufferBytes: arrayBuffers,
      };
    },
  });
  registry.addCollector({
    name: 'eventLoop',
    collect: () => ({
      utilization: rounded(last().eventLoopUtilization),
      meanDelayMs: rounded(last().meanDelayMs),
      p99DelayMs: rounded(last().p99DelayMs),
      maxDelayMs: rounded(last().maxDelayMs),
      maxDelayOfLastMinuteMs: rounded(worst(sampler.lastMinute, 'maxDelayMs')),
    }),
  });
  registry.addCollector({
    name: 'gc',
    collect: () => ({
      percentOfLastMinute: rounded(gcShare(sampler.lastMinute) * 100),
      ...Object.fromEntries(
        [...sampler.gc].map(([kind, { count, totalMs, maxMs }]) => [
          kind,
          { count, totalMs: rounded(totalMs), maxMs: rounded(maxMs) },
        ]),
      ),
    }),
  });
  registry.addCollector({ name: 'disk', collect: async () => ({ ...(await readDiskTotals()) }) });
  registry.addCollector({
    name: 'network',
    collect: async () => ({ ...(await readNetworkTotals()) }),
  });
}

function addCpuAndMemory(registry: MetricRegistry): void {
  const cpu = (kind: 'user' | 'system') => (): number => process.cpuUsage()[kind] / 1e6;
  registry.total('process_cpu_user_seconds_total', 'CPU time of the process itself', cpu('user'));
  registry.total(
    'process_cpu_system_seconds_total',
    'CPU time of the kernel for it',
    cpu('system'),
  );
  registry.total(
    'process_cpu_seconds_total',
    'CPU time in all',
    () => cpu('user')() + cpu('system')(),
  );
  const startedAt = Date.now() / 1_000 - process.uptime();
  registry.gauge('process_start_time_seconds', 'Start of the process, Unix time', () => startedAt);
  registry.gauge('process_resident_memory_bytes', 'Memory of the process', () =>
    process.memoryUsage.rss(),
  );
  const heap = (name: keyof NodeJS.MemoryUsage) => (): number => process.memoryUsage()[name];
  registry.gauge('nodejs_heap_size_total_bytes', 'Heap that V8 has', heap('heapTotal'));
  registry.gauge('nodejs_heap_size_used_bytes', 'Heap in use', heap('heapUsed'));
  registry.gauge(
    'nodejs_heap_size_limit_bytes',
    'Heap that V8 may have',
    () => getHeapStatistics().heap_size_limit,
  );
  registry.gauge('nodejs_external_memory_bytes', 'Memory outside the heap', heap('external'));
  registry.gauge('nodejs_version_info', 'The version of Node', () => [
    { labels: { version: process.version }, value: 1 },
  ]);
}

function addEventLoop(registry: MetricRegistry, sampler: ProcessSampler): void {
  const delay = (name: string, help: string, read: () => number): void =>
    registry.gauge(`nodejs_eventloop_lag_${name}seconds`, help, () => read() / 1_000);
  const minute = (): readonly ProcessSample[] => sampler.lastMinute;
  delay(
    '',
    'Mean delay of the event loop in the last second',
    () => minute().at(-1)?.meanDelayMs ?? 0,
  );
  delay(
    'p99_',
    'Delay of the event loop: the worst 99th percentile of a second in the last minute',
    () => worst(minute(), 'p99DelayMs'),
  );
  delay('max_', 'Longest delay of the event loop in the last minute', () =>
    worst(minute(), 'maxDelayMs'),
  );
  registry.gauge(
    'nodejs_eventloop_utilization',
    'Share of the last second that the event loop was busy',
    () => minute().at(-1)?.eventLoopUtilization ?? 0,
  );
}

const NO_SAMPLE: ProcessSample = {
  cpuCores: 0,
  eventLoopUtilization: 0,
  meanDelayMs: 0,
  p99DelayMs: 0,
  maxDelayMs: 0,
  gcMs: 0,
  elapsedMs: 0,
};

function worst(samples: readonly ProcessSample[], name: 'p99DelayMs' | 'maxDelayMs'): number {
  return samples.reduce((max, sample) => Math.max(max, sample[name]), 0);
}

function averageCores(samples: readonly ProcessSample[]): number {
  const elapsedMs = sum(samples, ({ elapsedMs }) => elapsedMs);
  return elapsedMs === 0
    ? 0
    : sum(samples, ({ cpuCores, elapsedMs }) => cpuCores * elapsedMs) / elapsedMs;
}

function gcShare(samples: readonly ProcessSample[]): number {
  const elapsedMs = sum(samples, ({ elapsedMs }) => elapsedMs);
  return elapsedMs === 0 ? 0 : sum(samples, ({ gcMs }) => gcMs) / elapsedMs;
}

function sum(samples: readonly ProcessSample[], of: (sample: ProcessSample) => number): number {
  return samples.reduce((total, sample) => total + of(sample), 0);
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

/** A figure that is not to be had is left out of the exposition. */
async function orNothing(reading: Promise<GaugeReading>): Promise<GaugeReading> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof FiguresUnavailableError) return undefined;
    throw error;
  }
}
