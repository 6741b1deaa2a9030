import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentilesOf } from '../support/percentiles.js';
import { closedLoad, openLoad, type Outcome } from './open-load.js';
import type { ServerMessage, ServerReport } from './protocol.js';

/** An answer that comes later is worth nothing to who asked. */
export const WORTH_MS = 500;
/** Then a client gives up. */
const GIVE_UP_MS = 2_000;
/** In which admission finds out what is asked of it; not counted. */
const SETTLE_MS = 500;
const MAX_CONNECTIONS = 3_000;
const PROBES_PER_SECOND = 10;
const DRAIN_LOOK_MS = 200;
const DRAIN_LOOKS = 150;
/** Cores that a server takes at most when nobody asks. */
const QUIET = 0.25;

/** A route that is measured, with what may use it. */
export interface Target {
  readonly name: string;
  readonly path: string;
  /** Connections that keep it busy without much of a queue. */
  readonly busyConnections: number;
}

export interface Probe {
  readonly path: string;
  readonly asked: number;
  /** Answered otherwise than by 200, or not at all. */
  readonly failed: number;
  readonly p95Ms: number;
}

export interface RunResult {
  readonly offeredPerSecond: number;
  /** Answers of 200 within `WORTH_MS`. */
  readonly goodPerSecond: number;
  /** Of the admitted: answered by 200, however late. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Refused, by code of the problem; `none` for no answer in time. */
  readonly refused: Readonly<Record<string, number>>;
  readonly limit: number;
  readonly probes: readonly Probe[];
}

/** The server in its process. */
export class Server {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(script: string): Promise<Server> {
    const child = fork(script, ['--serve'], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    child.stdout?.resume();
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`The server ended with ${String(code)}.`);
    });
    const [{ port }] = await Promise.race([
      once(child, 'message') as Promise<[ServerReport]>,
      ended,
    ]);
    ended.catch(() => undefined);
    return new Server(child, port);
  }

  async ask(message: ServerMessage = {}): Promise<ServerReport> {
    const answer = once(this.child, 'message') as Promise<[ServerReport]>;
    this.child.send(message);
    return (await answer)[0];
  }

  /** Waits until nothing is left of the last run: what clients have given up is worked off all the same. */
  async drain(): Promise<void> {
    let { cpuMs } = await this.ask();
    for (let look = 0; look < DRAIN_LOOKS; look += 1) {
      await sleep(DRAIN_LOOK_MS);
      const report = await this.ask();
      if (report.inFlight === 0 && report.cpuMs - cpuMs < DRAIN_LOOK_MS * QUIET) return;
      ({ cpuMs } = report);
    }
  }

  stop(): void {
    this.child.kill();
  }
}

/** Loads a route for a while, with probes of health and authentication beside. */
export async function measure(
  server: Server,
  target: Target,
  perSecond: number,
  durationMs: number,
  authorization: string,
): Promise<RunResult> {
  const common = { port: server.port, durationMs, giveUpMs: GIVE_UP_MS };
  const headers = { authorization };
  const probe = async (path: string): Promise<Probe> => {
    const outcomes = await openLoad({
      ...common,
      path,
      headers,
      perSecond: PROBES_PER_SECOND,
      maxConnections: 50,
    });
    const good = outcomes.filter(({ status }) => status === 200);
    return {
      path,
      asked: outcomes.length,
      failed: outcomes.length - good.length,
      p95Ms: percentilesOf(outcomes.map(({ ms }) => ms)).p95,
    };
  };
  const [outcomes, ...probes] = await Promise.all([
    openLoad({
      ...common,
      path: target.path,
      headers,
      perSecond,
      maxConnections: MAX_CONNECTIONS,
    }),
    probe('/health/live'),
    probe('/v1/auth/me'),
  ]);
  const { limit } = await server.ask();
  await server.drain();
  const settled = outcomes.filter(({ dueMs }) => dueMs >= SETTLE_MS);
  return { ...summaryOf(settled, durationMs - SETTLE_MS), limit, probes };
}

/** Answers a second of a server that is kept busy, with nothing that refuses. */
export async function capacityOf(
  server: Server,
  { path, busyConnections }: Target,
  durationMs: number,
  authorization: string,
): Promise<number> {
  await server.ask({ enabled: false });
  const headers = { authorization };
  const perSecond = await closedLoad(
    { port: server.port, path, headers, durationMs },
    busyConnections,
  );
  await server.drain();
  return perSecond;
}

function summaryOf(
  outcomes: readonly Outcome[],
  durationMs: number,
): Omit<RunResult, 'limit' | 'probes'> {
  const seconds = durationMs / 1_000;
  const served = outcomes.filter(({ status }) => status === 200).map(({ ms }) => ms);
  const refused: Record<string, number> = {};
  for (const { status, code } of outcomes) {
    if (status === 200) continue;
    const cause = code ?? (status === 0 ? 'none' : String(status));
    refused[cause] = (refused[cause] ?? 0) + 1;
  }
  const { p50, p95 } = percentilesOf(served);
  return {
    offeredPerSecond: outcomes.length / seconds,
    goodPerSecond: served.filter((ms) => ms <= WORTH_MS).length / seconds,
    p50Ms: p50,
    p95Ms: p95,
    refused,
  };
}
