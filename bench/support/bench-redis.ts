import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { findFreePort } from '../../libs/persistence/src/embedded/free-port.js';

/** A Redis to measure with. */
export interface BenchRedis {
  readonly url: string;
  /** Whether this process has started it, and may kill it. */
  readonly isOwn: boolean;
  /** Without a chance to say good-bye. */
  kill(): Promise<void>;
  /** On the same port, empty. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** REDIS_URL, else a redis-server or valkey-server of the PATH; undefined when there is neither. */
export async function startBenchRedis(): Promise<BenchRedis | undefined> {
  const given = process.env['REDIS_URL'];
  if (given !== undefined && given !== '') {
    const nothing = () => Promise.resolve();
    return { url: given, isOwn: false, kill: nothing, startAgain: nothing, stop: nothing };
  }
  const port = await findFreePort();
  let child = await startOn(port);
  if (child === undefined) return undefined;
  const kill = async (): Promise<void> => {
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    child = undefined;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    isOwn: true,
    kill,
    async startAgain() {
      child = await startOn(port);
    },
    stop: kill,
  };
}

async function startOn(port: number): Promise<ChildProcess | undefined> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  for (const program of ['redis-server', 'valkey-server']) {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const isReady = await new Promise<boolean>((resolve) => {
      child.once('error', () => resolve(false));
      child.once('exit', () => resolve(false));
      child.stdout.on('data', (chunk: Buffer) => {
        if (chunk.includes('Ready to accept connections')) resolve(true);
      });
    });
    if (isReady) return child;
  }
  return undefined;
}
