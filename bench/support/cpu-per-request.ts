import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const WARM_UP_MS = 1_500;

/** How the variants of a server are compared. */
export interface ComparisonOptions {
  /** Script whose `--serve=<variant>` listens and reports by `reportForComparison`. */
  readonly script: string;
  readonly variants: readonly string[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly connections: number;
  readonly path: string;
}

export interface VariantResult {
  readonly variant: string;
  /** Median over the rounds. */
  readonly cpuUsPerRequest: number;
  readonly requestsPerSecond: number;
  /** Median over the rounds of the ratio to the first variant in the same round, minus 1. */
  readonly overheadPercent: number;
}

interface Round {
  readonly cpuUs: number;
  readonly requestsPerSecond: number;
}

/**
 * Measures the CPU time per request of servers that run side by side as processes of their own,
 * in rounds that alternate between them, so that a noisy machine is noisy for all.
 */
export async function compareCpuPerRequest(options: ComparisonOptions): Promise<VariantResult[]> {
  const servers = await Promise.all(
    options.variants.map((variant) => startServer(options.script, variant)),
  );
  try {
    for (const server of servers) await measureRound(server, { ...options, roundMs: WARM_UP_MS });
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
      requestsPerSecond: median(
        rounds.map((round) => round[index]?.requestsPerSecond ?? Number.NaN),
      ),
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
export function reportForComparison(port: number): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuUs: user + system });
  });
  process.send?.({ port });
}

/** The middle one of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
}

async function startServer(script: string, variant: string): Promise<Server> {
  const child = fork(script, [`--serve=${variant}`], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  // A log is read by another process, which is us here.
  child.stdout?.resume();
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return { child, port: message.port };
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
  const counts = await Promise.all(
    Array.from({ length: connections }, () => load(server.port, path, startedAt + roundMs)),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuUs = (await cpuOf(server)) - cpuBefore;
  const requests = counts.reduce((sum, count) => sum + count, 0);
  return { cpuUs: cpuUs / requests, requestsPerSecond: requests / seconds };
}

/** One keep-alive connection that sends a request as soon as the last one is answered. */
async function load(port: number, path: string, until: number): Promise<number> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  let answered = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('connect', () => socket.write(request));
    // Answers are small: each arrives in one piece.
    socket.on('data', (data: Buffer) => {
      if (data.toString('latin1', 9, 12) !== '200') reject(new Error(data.toString()));
      answered += 1;
      if (performance.now() < until) socket.write(request);
      else resolve();
    });
  });
  socket.destroy();
  return answered;
}
