/**
 * `npm run bench:logger`: what a line costs, what the log costs a bare Fastify route at info, and
 * how long the event loop stands still at worst, also when nobody reads the log. `--json` prints
 * one JSON document.
 */
import { openSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fastify } from 'fastify';
import { SettingsStore, type SettingsSection } from '#libs/config';
import {
  createContext,
  createRootLogger,
  loggingSettings,
  registerAccessLog,
  registerRequestContext,
  requestIdFrom,
  RootLogger,
  runWithContext,
} from '#libs/logging';
import { BufferedLogDestination } from '../libs/logging/src/buffered.destination.js';
import { compareCpuPerRequest, reportForComparison } from './support/cpu-per-request.js';
import { printTable } from './support/print-table.js';

const LINES = 200_000;
const BURST_LINES = 20;
const STALL_SECONDS = 4;
const STALL_LINES_PER_SECOND = 20_000;
// Short rounds: what disturbs a shared machine then hits all variants alike.
const ROUNDS = 61;
const ROUND_MS = 120;

const VARIANTS = [
  'bare',
  'response hook alone',
  'request id and context',
  'and the log, silent',
  'and a line each',
] as const;

function storeOf(settings: Record<string, unknown> = {}): SettingsStore {
  const sections = [loggingSettings] as unknown as SettingsSection[];
  return new SettingsStore(sections, { overrides: { logging: { format: 'json', ...settings } } });
}

/** One of the servers that the comparison loads. */
async function serve(variant: string): Promise<void> {
  const own = variant === 'request id and context' || variant.startsWith('and');
  const app = fastify(
    !own ? {} : { genReqId: (raw) => requestIdFrom(raw.headers['x-request-id']) },
  );
  if (own) registerRequestContext(app);
  if (variant === 'response hook alone') app.addHook('onResponse', (_, __, done) => done());
  if (variant.startsWith('and')) {
    const levels = { default: variant === 'and a line each' ? 'info' : 'silent' };
    registerAccessLog(app, createRootLogger(storeOf({ levels }), { service: 'bench' }));
  }
  app.get('/v1/things/:id', (request, reply) => {
    reply.send({ id: (request.params as { id: string }).id });
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const address = app.server.address();
  if (address !== null && typeof address === 'object') reportForComparison(address.port);
}

interface LineCost {
  readonly line: string;
  readonly cpuUsPerLine: number;
  readonly linesPerSecond: number;
}

/** CPU time of all threads per line, written to a file that takes everything. */
async function lineCosts(): Promise<LineCost[]> {
  const fd = openSync('/dev/null', 'w');
  const root = createRootLogger(storeOf({ bufferMaxBytes: 2 ** 30 }), { service: 'bench', fd });
  const logger = root.module('bench');
  const error = new Error('it broke', { cause: new Error('because of that') });
  const context = createContext({ userId: 'u-1', route: '/v1/things/:id' });
  const kinds: Record<string, () => void> = {
    'level off': () => logger.debug('not written', { a: 1 }),
    'message only': () => logger.info('something happened'),
    'message and 3 fields': () =>
      logger.info('something happened', { id: 'a-1', count: 3, ok: true }),
    'with request context': () =>
      runWithContext(context, () => logger.info('something happened', { id: 'a-1', count: 3 })),
    'error with cause': () => logger.error('it failed', { err: error }),
  };
  const results: LineCost[] = [];
  for (const [line, write] of Object.entries(kinds)) {
    await writeLines(write, LINES / 10);
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    await writeLines(write, LINES);
    await root.flush();
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (performance.now() - startedAt) / 1000;
    results.push({ line, cpuUsPerLine: (user + system) / LINES, linesPerSecond: LINES / seconds });
  }
  return results;
}

async function writeLines(write: () => void, lines: number): Promise<void> {
  for (let written = 0; written < lines; written += BURST_LINES) {
    for (let line = 0; line < BURST_LINES; line += 1) write();
    await new Promise(setImmediate);
  }
}

interface Stall {
  readonly reader: string;
  readonly linesPerSecond: number;
  /** The timer of the histogram, about 1 ms, is part of what it measures. */
  readonly p99DelayMs: number;
  readonly maxDelayMs: number;
  readonly droppedLines: number;
}

/** Longest time that the event loop stood still while another process reads the log, or does not. */
async function stalls(): Promise<Stall[]> {
  const results: Stall[] = [];
  for (const [reader, program] of [
    // What the machine itself does to the event loop; nothing is logged here.
    ['no log at all', 'sleep 60'],
    ['reads all', 'cat > /dev/null'],
    ['reads 100 KB/s', 'while head -c 10000 > /dev/null; do sleep 0.1; done'],
    ['stands still', 'sleep 60'],
  ] as const) {
    const child = spawn('sh', ['-c', program], { stdio: ['pipe', 'ignore', 'ignore'] });
    const fd = (child.stdin as unknown as { _handle: { fd: number } })._handle.fd;
    const destination = new BufferedLogDestination({
      fd,
      // Small enough to be full within the measurement.
      bufferMaxBytes: 4 * 1024 * 1024,
      flushIntervalMs: 50,
      nonBlocking: true,
    });
    const levels = { default: reader === 'no log at all' ? 'silent' : 'info' } as const;
    const root = new RootLogger({ destination, service: 'bench', levels });
    results.push({ reader, ...(await delayWhile(root)), droppedLines: destination.droppedLines });
    child.kill('SIGKILL');
    child.stdin.destroy();
  }
  return results;
}

async function delayWhile(root: RootLogger): Promise<Omit<Stall, 'reader' | 'droppedLines'>> {
  const logger = root.module('bench');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await sleep(200);
  delay.enable();
  let lines = 0;
  const startedAt = performance.now();
  while (performance.now() - startedAt < STALL_SECONDS * 1000) {
    while (lines < ((performance.now() - startedAt) / 1000) * STALL_LINES_PER_SECOND) {
      logger.info('something happened', { id: 'a-1', count: 3, ok: true });
      lines += 1;
    }
    await sleep(1);
  }
  delay.disable();
  const ms = (ns: number): number => ns / 1e6;
  return {
    linesPerSecond: lines / STALL_SECONDS,
    p99DelayMs: ms(delay.percentile(99)),
    maxDelayMs: ms(delay.max),
  };
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
  const lines = await lineCosts();
  const stalled = await stalls();
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ lines, throughput, stalls: stalled }));
    return;
  }
  console.log('Cost of a line (CPU of all threads):');
  printTable(lines);
  console.log('A bare Fastify route with the log at info (interleaved rounds, medians):');
  printTable(throughput);
  console.log(
    `Event loop while ${STALL_LINES_PER_SECOND} lines a second are written, by what their reader does:`,
  );
  printTable(stalled);
}

const variant = process.argv.find((argument) => argument.startsWith('--serve='))?.slice(8);
if (variant === undefined) {
  await main();
  process.exit(0);
} else {
  await serve(variant);
}
