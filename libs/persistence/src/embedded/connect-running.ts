import { resolve } from 'node:path';
import { DataFolder } from './data-folder.js';
import { liveOwner } from './owner-lock.js';
import { findPostmaster } from './postmaster.js';
import { readState } from './running-state.js';

/**
 * The URL, with password, of the embedded PostgreSQL that another live process runs in a data
 * folder. Undefined when none runs there, or it is not ready yet.
 */
export async function connectRunning(dataDir: string): Promise<string | undefined> {
  const folder = await DataFolder.find(resolve(dataDir));
  if (folder === undefined || (await liveOwner(folder)) === undefined) return undefined;
  const [state, postmaster] = await Promise.all([
    readState(folder),
    findPostmaster(folder.cluster),
  ]);
  const ready = postmaster?.acceptsConnections === true && postmaster.pid === state?.pid;
  return ready ? state?.url : undefined;
}
