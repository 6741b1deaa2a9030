import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  adoptOrphan,
  ensureCluster,
  fingerprintOf,
  inspectInstallation,
  serverCommand,
  startServer,
} from './bring-up.js';
import { DATABASE_NAME } from './cluster.js';
import { connectRunning } from './connect-running.js';
import type { DataFolder } from './data-folder.js';
import { embeddedPostgresEvents } from './embedded-postgres.events.js';
import {
  type EmbeddedPostgresOptions,
  type ResolvedEmbeddedPostgresOptions,
  resolveEmbeddedPostgresOptions,
} from './embedded-postgres.options.js';
import { EmbeddedPostgresDataError } from './errors/embedded-postgres-data.error.js';
import { EmbeddedPostgresInUseError } from './errors/embedded-postgres-in-use.error.js';
import { OwnerLock } from './owner-lock.js';
import { readIfPresent } from './private-file.js';
import { writeState } from './running-state.js';
import { ServerLog } from './server-log.js';
import type { ServerCommand, ServerProcess } from './server-process.js';
import { Supervisor } from './supervisor.js';

const ATTACH_POLL_MS = 100;

/** A PostgreSQL to work with. */
export interface PostgresHandle {
  /** With user and password. */
  readonly url: string;
  /** Gives it up, and stops it when it is ours. May be called twice. */
  stop(): Promise<void>;
}

/**
 * A real PostgreSQL 18 that belongs to this process: it listens on 127.0.0.1 only, is started
 * again when it dies, and ends with `stop`. When this process is killed the server goes on, and
 * the next `start` on the same folder takes it over.
 */
export class EmbeddedPostgres implements PostgresHandle {
  private stopping: Promise<void> | undefined;

  private constructor(
    readonly url: string,
    private readonly folder: DataFolder,
    private readonly supervisor: Supervisor,
    private readonly log: ServerLog,
    private readonly lock: OwnerLock,
    private readonly options: ResolvedEmbeddedPostgresOptions,
  ) {}

  /**
   * Starts the server of a data folder, creating its database when the folder is empty, and
   * resolves when it accepts connections.
   * @throws EmbeddedPostgresInUseError when another live process runs it
   * @throws EmbeddedPostgresDataError when the folder is foreign or damaged; nothing is deleted
   * @throws EmbeddedPostgresPortTakenError when the port asked for is taken
   * @throws EmbeddedPostgresStartError for any other reason, with the last lines of the log
   */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const startedAt = performance.now();
    const resolved = resolveEmbeddedPostgresOptions(options);
    const inspected = await inspectInstallation(resolved);
    const lock = await OwnerLock.acquire(inspected.folder).catch((error: unknown) => {
      throw unusable(resolved.dataDir, error);
    });
    let log: ServerLog | undefined;
    let server: ServerProcess | undefined;
    try {
      const { folder, created } = await ensureCluster(inspected, resolved);
      log = await ServerLog.open(folder.log, resolved.onLog);
      const command = serverCommand({ ...inspected, folder }, resolved, log);
      const orphan = await adoptOrphan(folder, command, resolved);
      server = orphan ?? (await startServer(command, resolved.port));
      const { pid, port } = server;
      const url = await publishState(folder, command, server);
      const supervisor = new Supervisor(server, async () => {
        const restarted = await startServer(command, port);
        await publishState(folder, command, restarted);
        return restarted;
      });
      embeddedPostgresEvents.publish(() => ({
        kind: 'started',
        pid,
        port,
        durationMs: performance.now() - startedAt,
        how: created ? 'created' : orphan === undefined ? 'started' : 'adopted',
      }));
      return new EmbeddedPostgres(url, folder, supervisor, log, lock, resolved);
    } catch (error) {
      await server?.stop(resolved.stopTimeoutMs);
      await log?.close();
      await lock.release();
      throw unusable(resolved.dataDir, error);
    }
  }

  /**
   * Works with the server that another live process runs in the data folder, else starts it. A
   * process that is about to start or stop it is waited for.
   */
  static async attachOrStart(options: EmbeddedPostgresOptions): Promise<PostgresHandle> {
    const { dataDir, startTimeoutMs } = resolveEmbeddedPostgresOptions(options);
    const giveUpAt = performance.now() + startTimeoutMs;
    for (;;) {
      const url = await connectRunning(dataDir);
      if (url !== undefined) return { url, stop: () => Promise.resolve() };
      try {
        return await EmbeddedPostgres.start(options);
      } catch (error) {
        const mayChange = error instanceof EmbeddedPostgresInUseError;
        if (!mayChange || performance.now() > giveUpAt) throw error;
        await sleep(ATTACH_POLL_MS);
      }
    }
  }

  /** Process id of the server, another one after each restart. */
  get pid(): number {
    return this.supervisor.current.pid;
  }

  get port(): number {
    return this.supervisor.current.port;
  }

  /** Stops the server in order, by force after `stopTimeoutMs`. May be called twice. */
  stop(): Promise<void> {
    this.stopping ??= this.stopOnce();
    return this.stopping;
  }

  private async stopOnce(): Promise<void> {
    const startedAt = performance.now();
    try {
      await rm(this.folder.state, { force: true });
      await this.supervisor.stop(this.options.stopTimeoutMs);
    } finally {
      await this.log.close();
      await this.lock.release();
    }
    embeddedPostgresEvents.publish(() => ({
      kind: 'stopped',
      pid: this.pid,
      durationMs: performance.now() - startedAt,
    }));
  }
}

/** Says of an error of the file system, such as a folder that may not be written to, where it was. */
function unusable(dataDir: string, error: unknown): unknown {
  const isOfTheSystem = error instanceof Error && 'syscall' in error;
  if (!isOfTheSystem) return error;
  return new EmbeddedPostgresDataError('unusable', dataDir, error.message, { cause: error });
}

/** Writes down how to reach the server, for other processes and for the one after a crash. */
async function publishState(
  folder: DataFolder,
  command: ServerCommand,
  server: ServerProcess,
): Promise<string> {
  const password = (await readIfPresent(folder.password))?.trim() ?? '';
  const url = `postgres://${DATABASE_NAME}:${password}@127.0.0.1:${server.port}/${DATABASE_NAME}`;
  await writeState(folder, { pid: server.pid, url, fingerprint: fingerprintOf(command) });
  return url;
}
