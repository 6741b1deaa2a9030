import { execFile } from 'node:child_process';
import { readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readIfPresent } from './private-file.js';
import { processIdentity } from './process-identity.js';

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

/**
 * The live server of a cluster, no matter who started it. The file alone does not tell: after a
 * crash it names a process that is gone, or another that has got the same id since, in which case
 * PostgreSQL would refuse to start; such a file is removed.
 */
export async function findPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const postmaster = await readPostmasterFile(cluster);
  if (postmaster === undefined) return undefined;
  if ((await processIdentity(postmaster.pid)) === undefined) return undefined;
  const command = await commandOf(postmaster.pid);
  if (command === undefined) return undefined;
  const paths = [cluster, await realpath(cluster)];
  if (command.includes('postgres') && paths.some((path) => command.includes(path))) {
    return postmaster;
  }
  await rm(join(cluster, 'postmaster.pid'), { force: true });
  return undefined;
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
