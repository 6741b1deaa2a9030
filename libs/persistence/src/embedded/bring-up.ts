import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster } from './cluster.js';
import { DataFolder } from './data-folder.js';
import {
  type ResolvedEmbeddedPostgresOptions,
  serverSettings,
} from './embedded-postgres.options.js';
import { EmbeddedPostgresDataError } from './errors/embedded-postgres-data.error.js';
import { EmbeddedPostgresPortTakenError } from './errors/embedded-postgres-port-taken.error.js';
import { EmbeddedPostgresStartError } from './errors/embedded-postgres-start.error.js';
import { findFreePort } from './free-port.js';
import { chooseOsUser, type OsUser } from './os-user.js';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { findPostmaster, removeStalePostmasterFile } from './postmaster.js';
import { readState } from './running-state.js';
import type { ServerLog } from './server-log.js';
import { type ServerCommand, ServerProcess } from './server-process.js';

/** Everything that has to be known before a server can be started. */
export interface Installation {
  readonly folder: DataFolder;
  readonly user: OsUser | undefined;
  readonly binaries: PostgresBinaries;
}

/**
 * Finds out where the data, the programs and the user are. Changes nothing in the data folder.
 * @throws EmbeddedPostgresDataError when the folder holds something that must not be touched
 */
export async function inspectInstallation(
  options: ResolvedEmbeddedPostgresOptions,
): Promise<Installation> {
  const folder = await DataFolder.open(options.dataDir);
  const user = await chooseOsUser(await folder.clusterOwner(), options.osUser);
  const binaries = await findPostgresBinaries(user, options.sharedFolder);
  if (binaries.copiedTo !== undefined) {
    options.onNotice?.(
      `PostgreSQL was copied to ${binaries.copiedTo}, because the user that runs it cannot read node_modules.`,
    );
  }
  await folder.holdsCluster(binaries.major);
  return { folder, user, binaries };
}

/** Creates the cluster when there is none. The caller holds the lock of the folder. */
export async function ensureCluster(
  { folder, user, binaries }: Installation,
  options: ResolvedEmbeddedPostgresOptions,
): Promise<{ readonly folder: DataFolder; readonly created: boolean }> {
  const reachable = await folder.reachableBy(user, options.sharedFolder);
  if (await reachable.holdsCluster(binaries.major)) return { folder: reachable, created: false };
  await createCluster(reachable, binaries, user);
  if (reachable !== folder) {
    options.onNotice?.(
      `The database is kept in ${reachable.home}, because the user that runs PostgreSQL cannot enter ${folder.dataDir}.`,
    );
  }
  return { folder: reachable, created: true };
}

/** How to run the server of an installation. */
export function serverCommand(
  { folder, user, binaries }: Installation,
  options: ResolvedEmbeddedPostgresOptions,
  log: ServerLog,
): ServerCommand {
  return {
    program: binaries.postgres,
    cluster: folder.cluster,
    user,
    settings: serverSettings(options),
    log,
    startTimeoutMs: options.startTimeoutMs,
  };
}

/** Two commands with the same fingerprint start the same server, but for its port. */
export function fingerprintOf({ program, settings }: ServerCommand): string {
  return createHash('sha256')
    .update(JSON.stringify([program, settings]))
    .digest('hex');
}

/**
 * Takes over the server when a process that was killed left it running as it should run; stops
 * it when it runs otherwise. Undefined when none runs any more.
 */
export async function adoptOrphan(
  folder: DataFolder,
  command: ServerCommand,
  options: ResolvedEmbeddedPostgresOptions,
): Promise<ServerProcess | undefined> {
  let postmaster = await findPostmaster(folder.cluster);
  if (postmaster === undefined) return undefined;
  const state = await readState(folder);
  const orphan = ServerProcess.adopt(postmaster);
  const fits =
    state?.fingerprint === fingerprintOf(command) &&
    (options.port === 0 || options.port === postmaster.port);
  if (fits && postmaster.acceptsConnections) {
    options.onNotice?.(
      `Took over PostgreSQL (process ${postmaster.pid}), which was still running.`,
    );
    return orphan;
  }
  await orphan.stop(options.stopTimeoutMs);
  postmaster = await findPostmaster(folder.cluster);
  if (postmaster === undefined) return undefined;
  throw new EmbeddedPostgresStartError(`a server (process ${postmaster.pid}) cannot be stopped`);
}

const PORT_TAKEN = /could not bind IPv4 address/;
const STILL_DYING = /pre-existing shared memory block|lock file "postmaster\.pid" is empty/;
const DAMAGED = /\b(FATAL|PANIC):/;
const DYING_PATIENCE_MS = 5_000;
const FREE_PORT_TRIES = 5;

/** Starts the server on `port`, or with 0 on a free one. */
export async function startServer(command: ServerCommand, port: number): Promise<ServerProcess> {
  const giveUpAt = performance.now() + DYING_PATIENCE_MS;
  for (let tries = 1; ; tries++) {
    const actualPort = port === 0 ? await findFreePort() : port;
    await removeStalePostmasterFile(command.cluster);
    try {
      return await ServerProcess.start(command, actualPort);
    } catch (error) {
      if (!(error instanceof EmbeddedPostgresStartError)) throw error;
      const said = error.logTail.join('\n');
      if (PORT_TAKEN.test(said)) {
        // Somebody took the free port between our look and the server's.
        if (port === 0 && tries < FREE_PORT_TRIES) continue;
        throw new EmbeddedPostgresPortTakenError(actualPort, error.logTail);
      }
      if (STILL_DYING.test(said) && performance.now() < giveUpAt) {
        // The processes of a killed server take a moment to notice that it is gone.
        await sleep(50);
        continue;
      }
      if (!DAMAGED.test(said)) throw error;
      throw new EmbeddedPostgresDataError(
        'damaged',
        command.cluster,
        'PostgreSQL refuses to start on it',
        { logTail: error.logTail, cause: error },
      );
    }
  }
}
