import { execFile } from 'node:child_process';
import { readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { processIdentity } from '#libs/core';
import { readIfPresent } from './private-file.js';

/** What PostgreSQL writes about itself into `postmaster.pid`. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly acceptsConnections: boolean;
}

/** Reads `postmaster.pid` of a cluster; undefined when there is none or it is half written. */
export async function readPostmasterFile(cluster: string): Promise<Postmaster | undefined> {
  const lines = (await readIfPresent(join(cluster, 'postmaster.pid')))?.split('\n') ?? [];
  const pid = Number(lines[0]);
  if (lines.length < 4 || !Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3]), acceptsConnections: lines[7]?.trim() === 'ready' };
}

/** The live server of a cluster, no matter who started it. */
export async function findPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const postmaster = await readPostmasterFile(cluster);
  if (postmaster === undefined) return undefined;
  return (await isServerOf(cluster, postmaster.pid)) === true ? postmaster : undefined;
}

/**
 * Removes a `postmaster.pid` that names a zombie, which nobody may ever reap in a container, or
 * another process that has got the same id since: PostgreSQL would refuse to start because of it.
 * Only for the holder of the folder's lock. Against two servers on one cluster PostgreSQL is also
 * protected by its shared memory, which does not depend on this file.
 */
export async function removeStalePostmasterFile(cluster: string): Promise<void> {
  const postmaster = await readPostmasterFile(cluster);
  if (postmaster === undefined) return;
  if ((await isServerOf(cluster, postmaster.pid)) === false) {
    await rm(join(cluster, 'postmaster.pid'), { force: true });
  }
}

/** Undefined where the system does not tell. */
async function isServerOf(cluster: string, pid: number): Promise<boolean | undefined> {
  if ((await processIdentity(pid)) === undefined) return false;
  const command = await commandOf(pid);
  if (command === undefined) return undefined;
  const paths = [cluster, await realpath(cluster)];
  return command.includes('postgres') && paths.some((path) => command.includes(path));
}

/** The command line of a process; undefined when the system does not tell. */
async function commandOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8');
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', `${pid}`]);
    return stdout;
  } catch {
    return undefined;
  }
}
