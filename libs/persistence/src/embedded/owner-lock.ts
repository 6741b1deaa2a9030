import { link, rename, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { isStillRunning, newId, processIdentity } from '#libs/core';
import type { DataFolder } from './data-folder.js';
import { EmbeddedPostgresInUseError } from './errors/embedded-postgres-in-use.error.js';
import { giveTo, readIfPresent } from './private-file.js';

interface Owner {
  readonly pid: number;
  readonly identity: string;
  readonly command: string;
}

/** Says which live process runs the server of a data folder, so that a second one keeps away. */
export class OwnerLock {
  private constructor(
    private readonly path: string,
    private readonly content: string,
  ) {}

  /** @throws EmbeddedPostgresInUseError when a live process holds it; that of a dead one is taken */
  static async acquire(folder: DataFolder): Promise<OwnerLock> {
    const self: Owner = {
      pid: process.pid,
      identity: (await processIdentity(process.pid)) ?? '',
      command: process.argv
        .slice(1, 3)
        .map((part) => basename(part))
        .join(' '),
    };
    const lock = new OwnerLock(folder.lock, `${JSON.stringify(self)}\n`);
    const draft = `${folder.lock}.${newId()}`;
    await writeFile(draft, lock.content, { mode: 0o600 });
    await giveTo(draft, folder.owner);
    try {
      // A link either appears with its content or fails because the name is taken.
      while (!(await linkIfFree(draft, folder.lock))) await removeIfStale(folder);
      return lock;
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Gives the lock up. Does nothing when somebody else has taken it. */
  async release(): Promise<void> {
    if ((await readIfPresent(this.path)) === this.content) await rm(this.path, { force: true });
  }
}

/** The pid of the live process that holds the lock of a data folder. */
export async function liveOwner(folder: DataFolder): Promise<Owner | undefined> {
  const owner = parseOwner(await readIfPresent(folder.lock));
  if (owner === undefined) return undefined;
  return (await isStillRunning(owner.pid, owner.identity)) ? owner : undefined;
}

async function linkIfFree(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeIfStale(folder: DataFolder): Promise<void> {
  const seen = await readIfPresent(folder.lock);
  const owner = await liveOwner(folder);
  if (owner !== undefined) {
    throw new EmbeddedPostgresInUseError(folder.dataDir, owner.pid, owner.command);
  }
  // Another process may have replaced the stale lock since we looked: whoever renames it looks
  // again at what was renamed, and puts it back when it is not the stale one.
  const aside = `${folder.lock}.${newId()}`;
  try {
    await rename(folder.lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readIfPresent(aside)) !== seen) await linkIfFree(aside, folder.lock);
  await rm(aside, { force: true });
}

function parseOwner(text: string | undefined): Owner | undefined {
  if (text === undefined) return undefined;
  try {
    const owner = JSON.parse(text) as Partial<Owner>;
    if (typeof owner.pid !== 'number' || typeof owner.identity !== 'string') return undefined;
    return { pid: owner.pid, identity: owner.identity, command: owner.command ?? '' };
  } catch {
    return undefined;
  }
}
