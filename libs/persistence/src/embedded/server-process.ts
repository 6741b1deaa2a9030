import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { processIdentity } from '#libs/core';
import { SERVER_ENVIRONMENT } from './cluster.js';
import { endWithUs, sendSignal } from './end-with-us.js';
import { EmbeddedPostgresStartError } from './errors/embedded-postgres-start.error.js';
import type { OsUser } from './os-user.js';
import { type Postmaster, readPostmasterFile } from './postmaster.js';
import type { ServerLog } from './server-log.js';

/** How to run a server. */
export interface ServerCommand {
  readonly program: string;
  readonly cluster: string;
  readonly user: OsUser | undefined;
  /** PostgreSQL settings by name, without the port. */
  readonly settings: Readonly<Record<string, string>>;
  readonly log: ServerLog;
  readonly startTimeoutMs: number;
}

const READY_POLL_MS = 5;
const ADOPTED_POLL_MS = 200;
const FORCED_STOP_MS = 5_000;

/** A running server: our child, or one adopted from a process that was killed. */
export class ServerProcess {
  private constructor(
    readonly pid: number,
    readonly port: number,
    /** Resolves with the reason when the server has ended. Never rejects. */
    readonly ended: Promise<string>,
  ) {}

  /**
   * Starts a server and resolves when it accepts connections.
   * @throws EmbeddedPostgresStartError with the last lines of its log when it ends before that
   */
  static async start(command: ServerCommand, port: number): Promise<ServerProcess> {
    const logStart = await command.log.size();
    const { child, ended } = endWithUs(() => spawnServer(command, port));
    let reason: string | undefined;
    void ended.then((text) => (reason = text));
    const deadline = performance.now() + command.startTimeoutMs;
    while (reason === undefined) {
      const postmaster = await readPostmasterFile(command.cluster);
      if (postmaster?.pid === child.pid && postmaster?.acceptsConnections === true) {
        child.unref();
        return new ServerProcess(postmaster.pid, port, ended);
      }
      if (performance.now() > deadline) {
        child.kill('SIGQUIT');
        await ended;
        reason = `it accepted no connections within ${command.startTimeoutMs} ms`;
      }
      await sleep(READY_POLL_MS);
    }
    throw new EmbeddedPostgresStartError(reason, { logTail: await command.log.tail(logStart) });
  }

  /** Takes over a server that runs already. */
  static adopt(postmaster: Postmaster): ServerProcess {
    const { pid, port } = postmaster;
    const { ended } = endWithUs(() => ({ pid, ended: endOfStranger(pid) }));
    return new ServerProcess(pid, port, ended);
  }

  /**
   * Ends the server in order: clients are disconnected, everything is written to disk. One that
   * is not done within `timeoutMs` is told to quit at once, and recovers at its next start.
   */
  async stop(timeoutMs: number): Promise<void> {
    const steps = [
      ['SIGINT', timeoutMs],
      ['SIGQUIT', FORCED_STOP_MS],
      ['SIGKILL', FORCED_STOP_MS],
    ] as const;
    for (const [signal, waitMs] of steps) {
      this.signal(signal);
      if (await this.endsWithin(waitMs)) return;
    }
  }

  /** Sends a signal, if the server still runs. */
  signal(signal: NodeJS.Signals): void {
    sendSignal(this.pid, signal);
  }

  private async endsWithin(ms: number): Promise<boolean> {
    const timeout = new AbortController();
    // Not unref'ed: the process must not end before its server has.
    const waiting = sleep(ms, false, { signal: timeout.signal }).catch(() => false);
    const ended = await Promise.race([this.ended.then(() => true), waiting]);
    timeout.abort();
    return ended;
  }
}

function spawnServer(
  command: ServerCommand,
  port: number,
): {
  readonly child: ChildProcess;
  readonly pid: number | undefined;
  readonly ended: Promise<string>;
} {
  const child = spawn(command.program, toArguments(command, port), {
    ...command.user,
    cwd: command.cluster,
    env: SERVER_ENVIRONMENT,
    stdio: ['ignore', command.log.file.fd, command.log.file.fd],
    // A group of its own: Ctrl-C in the terminal reaches us only, and we stop it last.
    detached: true,
  });
  return { child, pid: child.pid, ended: endOf(child) };
}

function toArguments({ cluster, settings }: ServerCommand, port: number): string[] {
  const all = { ...settings, port: String(port) };
  return [
    '-D',
    cluster,
    ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

async function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`it could not be run (${error.message})`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`),
    );
  });
}

/** The system tells only parents when a process ends; everyone else has to look. */
async function endOfStranger(pid: number): Promise<string> {
  while ((await processIdentity(pid)) !== undefined) {
    await sleep(ADOPTED_POLL_MS, undefined, { ref: false });
  }
  return 'it is gone';
}
