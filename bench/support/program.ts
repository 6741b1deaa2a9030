import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../../libs/persistence/src/embedded/free-port.js';

const POLL_MS = 2;
const GIVE_UP_MS = 60_000;

/** The built API as a command. */
export const API_PROGRAM = [process.execPath, 'dist/bin/api.js'] as const;

/** A server that runs as a process of its own and is ready. */
export interface RunningProgram {
  readonly url: string;
  readonly child: ChildProcess;
  /** From the start of the process to 200 on /health/ready. */
  readonly readyMs: number;
  /** Memory of the program, or of what npm runs for it. Linux only; elsewhere it is not a number. */
  rssMib(): Promise<number>;
  /** Ends it in order. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts a server with these variables over those of this process, on a free port.
 * @throws Error with its output when it is not ready within a minute
 */
export async function startProgram(
  [program, ...args]: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningProgram> {
  const url = `http://127.0.0.1:${await findFreePort()}`;
  const startedAt = performance.now();
  const child = spawn(program, args, {
    env: { ...process.env, NODE_OPTIONS: '', ...environment, PORT: new URL(url).port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  };
  try {
    await untilReady(child, url, startedAt + GIVE_UP_MS, output);
  } catch (error) {
    await stop();
    throw error;
  }
  const readyMs = performance.now() - startedAt;
  // What was said at the start is not needed any more, and what comes must be read.
  for (const stream of [child.stdout, child.stderr]) stream.removeAllListeners('data').resume();
  return { url, child, readyMs, rssMib: () => rssMibOf(child.pid ?? 0), stop };
}

async function untilReady(
  child: ChildProcess,
  url: string,
  giveUpAt: number,
  output: readonly Buffer[],
): Promise<void> {
  for (;;) {
    try {
      const response = await fetch(`${url}/health/ready`);
      await response.arrayBuffer();
      if (response.status === 200) return;
    } catch {
      // Nobody listens yet.
    }
    if (child.exitCode !== null || performance.now() > giveUpAt) {
      throw new Error(`The program is not ready:\n${Buffer.concat(output).toString()}`);
    }
    await sleep(POLL_MS);
  }
}

async function rssMibOf(pid: number): Promise<number> {
  try {
    const [thread = ''] = await readdir(`/proc/${pid}/task`);
    const children = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const isNpm = /^Name:\s+npm/m.test(status);
    const child = Number(children.split(' ')[0]);
    if (isNpm && child > 0) return await rssMibOf(child);
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}
