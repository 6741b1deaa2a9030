import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isStillRunning, processIdentity } from '#libs/core';
import { FolderNotPrivateError } from '../errors/folder-not-private.error.js';

/** In each folder that a process uses: who that is, so that others know when it is left over. */
const OWNER_FILE = 'owner.json';
const PREFIX = 'copy-';

interface Owner {
  readonly pid: number;
  readonly identity: string;
}

/** Where copies are made unless told otherwise: one folder for each user of the machine. */
export function defaultWorkFolder(): string {
  return join(tmpdir(), `pantheon-what-if-${process.getuid?.() ?? 'user'}`);
}

/**
 * Creates a folder that only this user can enter, or takes the one that is there.
 * Throws `INDEX_ADVISOR_FOLDER_NOT_PRIVATE` when others could look in, as somebody may have put a
 * folder of this name into a shared place.
 */
export async function ensurePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  const user = process.getuid?.();
  // Windows knows neither users nor modes here; its folder for temporary files is the user's own.
  const isOurs = user === undefined || (found.uid === user && (found.mode & 0o077) === 0);
  if (!found.isDirectory() || !isOurs) throw new FolderNotPrivateError(folder);
}

/** A folder of this process's own inside the work folder; remove it when done. */
export async function createOwnedFolder(workFolder: string): Promise<string> {
  const folder = join(workFolder, `${PREFIX}${process.pid}-${randomBytes(6).toString('hex')}`);
  await mkdir(folder, { mode: 0o700 });
  const identity = (await processIdentity(process.pid)) ?? '';
  const owner: Owner = { pid: process.pid, identity };
  await writeFile(join(folder, OWNER_FILE), JSON.stringify(owner), { mode: 0o600 });
  return folder;
}

/** Removes the folders of processes that ended without removing them, such as by a crash. */
export async function removeLeftovers(workFolder: string): Promise<void> {
  const names = await readdir(workFolder);
  await Promise.all(
    names
      .filter((name) => name.startsWith(PREFIX))
      .map(async (name) => {
        if (await isLeftOver(workFolder, name)) await removeFolder(join(workFolder, name));
      }),
  );
}

/** Removes a folder with everything in it; no harm when it is gone. */
export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function isLeftOver(workFolder: string, name: string): Promise<boolean> {
  try {
    const text = await readFile(join(workFolder, name, OWNER_FILE), 'utf8');
    const { pid, identity } = JSON.parse(text) as Owner;
    return !(await isStillRunning(pid, identity));
  } catch {
    // It has no owner yet, or no more: the id in its name says whether somebody is at work there.
    const pid = Number(name.slice(PREFIX.length).split('-')[0]);
    return !Number.isInteger(pid) || (await processIdentity(pid)) === undefined;
  }
}
