import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentilesOf } from './percentiles.js';

const WARM_UP_MS = 1_500;

/** How the variants of a server are compared. */
export interface ComparisonOptions {
  /** Script whose `--serve=<variant>` listens and reports by `reportForComparison`. */
  readonly script: string;
  readonly variants: readonly string[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly connections: number;
  /**
   * For so long the servers are left alone first; the CPU time that they take then is no part of what
   * a request takes. Default: it is not measured.
   */
  readonly idleMs?: number;
  /** Each server has answered so many before the first round, which its compiler needs. Default: 0. */
  readonly warmUpRequests?: number;
  /** Unless a server says another; see `reportForComparison`. */
  readonly path: string;
}

export interface VariantResult {
  readonly variant: string;
  /** Median over the rounds. */
  readonly cpuUsPerRequest: number;
  /**
   * Of the tenth of the rounds that took least, the one that took most: what else a machine does only
   * ever adds to it.
   */
  readonly quietCpuUsPerRequest: number;
  readonly requestsPerSecond: number;
  /** Median over the rounds of the median of a request, as its client sees it. */
  readonly p50Ms: number;
  /** What the server takes when nobody asks; 0 when that was not measured. */
  readonly idleCpuMsPerSecond: number;
  /** Median over the rounds of the ratio to the first variant in the same round, minus 1. */
  readonly overheadPercent: number;
}

interface Round {
  readonly requests: number;
  readonly cpuUs: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
}

/** What the client of a server asks for. */
export interface ComparedRequest {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Measures the CPU time per request of servers that run side by side as processes of their own,
 * in rounds that alternate between them, so that a noisy machine is noisy for all.
 */
export async function compareCpuPerRequest(options: ComparisonOptions): Promise<VariantResult[]> {
  const servers: Server[] = [];
  try {
    for (const variant of options.variants) {
      servers.push(await startServer(options.script, variant));
    }
    for (const server of servers) await warmUp(server, options);
    if (options.idleMs !== undefined) await measureIdle(servers, options.idleMs);
    const rounds: Round[][] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      const results: Round[] = [];
      // Each second round goes backwards: what the machine does slowly hits all alike.
      const order = round % 2 === 0 ? servers.keys() : [...servers.keys()].toReversed();
      for (const index of order) {
        const server = servers[index];
        if (server !== undefined) results[index] = await measureRound(server, options);
      }
      rounds.push(results);
    }
    return options.variants.map((variant, index) => ({
      variant,
      cpuUsPerRequest: median(rounds.map((round) => round[index]?.cpuUs ?? Number.NaN)),
      quietCpuUsPerRequest: lowest(rounds.map((round) => round[index]?.cpuUs ?? Number.NaN)),
      requestsPerSecond: median(
        rounds.map((round) => round[index]?.requestsPerSecond ?? Number.NaN),
      ),
      idleCpuMsPerSecond: (servers[index]?.idleCpuUsPerSecond ?? 0) / 1000,
      p50Ms: median(rounds.map((round) => round[index]?.p50Ms ?? Number.NaN)),
      overheadPercent:
        (median(rounds.map((r) => (r[index]?.cpuUs ?? Number.NaN) / (r[0]?.cpuUs ?? Number.NaN))) -
          1) *
        100,
    }));
  } finally {
    for (const { child } of servers) child.kill();
  }
}

/** For the server's process: says its port, and answers each question with the CPU time so far. */
export function reportForComparison(port: number, request: ComparedRequest = {}): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuUs: user + system });
  });
  process.send?.({ port, request });
}

/** The middle one of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The highest of the lowest tenth of some numbers. */
function lowest(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length / 10) - 1] ?? Number.NaN;
}

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly request: ComparedRequest;
  /** What it does on its own, such as looking after its connections. */
  idleCpuUsPerSecond: number;
}

async function warmUp(server: Server, options: ComparisonOptions): Promise<void> {
  let requests = 0;
  do {
    requests += (await measureRound(server, { ...options, roundMs: WARM_UP_MS })).requests;
  } while (requests < (options.warmUpRequests ?? 0));
}

async function measureIdle(servers: readonly Server[], idleMs: number): Promise<void> {
  const before = await Promise.all(servers.map((server) => cpuOf(server)));
  await sleep(idleMs);
  for (const [index, server] of servers.entries()) {
    const cpuUs = (await cpuOf(server)) - (before[index] ?? 0);
    server.idleCpuUsPerSecond = (cpuUs * 1000) / idleMs;
  }
}

async function startServer(script: string, variant: string): Promise<Server> {
  const child = fork(script, [`--serve=${variant}`], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  // A log is read by another process, which is us here.
  child.stdout?.resume();
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The server "${variant}" ended with ${String(code)} before it listened.`);
  });
  const message = once(child, 'message') as Promise<[Pick<Server, 'port' | 'request'>]>;
  const [{ port, request }] = await Promise.race([message, ended]);
  ended.catch(() => undefined);
  return { child, port, request, idleCpuUsPerSecond: 0 };
}

async function cpuOf({ child }: Server): Promise<number> {
  const answer = once(child, 'message') as Promise<[{ cpuUs: number }]>;
  child.send('cpu');
  return (await answer)[0].cpuUs;
}

async function measureRound(
  server: Server,
  { roundMs, connections, path }: Pick<ComparisonOptions, 'roundMs' | 'connections' | 'path'>,
): Promise<Round> {
  const cpuBefore = await cpuOf(server);
  const startedAt = performance.now();
  const durations: number[] = [];
  const text = textOf({ path, ...server.request });
  await Promise.all(
    Array.from({ length: connections }, () =>
      load(server.port, text, startedAt + roundMs, durations),
    ),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuUs = (await cpuOf(server)) - cpuBefore - server.idleCpuUsPerSecond * seconds;
  const requests = durations.length;
  return {
    requests,
    cpuUs: cpuUs / requests,
    requestsPerSecond: requests / seconds,
    p50Ms: percentilesOf(durations).p50,
  };
}

function textOf({ path = '/', headers = {} }: ComparedRequest): string {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** One keep-alive connection that sends a request as soon as the last one is answered. */
async function load(
  port: number,
  request: string,
  until: number,
  durations: number[],
): Promise<void> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let askedAt = 0;
  const ask = (): void => {
    askedAt = performance.now();
    socket.write(request);
  };
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('connect', ask);
    // Answers are small: each arrives in one piece.
    socket.on('data', (data: Buffer) => {
      if (data.toString('latin1', 9, 12) !== '200') reject(new Error(data.toString()));
      const now = performance.now();
      durations.push(now - askedAt);
      if (now < until) ask();
      else resolve();
    });
  });
  socket.destroy();
}
