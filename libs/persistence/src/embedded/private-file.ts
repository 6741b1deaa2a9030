import { chown, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { newId } from '#libs/core';

/** Owner of a file that root writes on behalf of another user. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Replaces a file as a whole, readable by its owner alone. When root writes into the folder of
 * another user, the file is given to that user.
 */
export async function writePrivateFile(
  path: string,
  text: string,
  owner?: FileOwner,
): Promise<void> {
  const draft = `${path}.${newId()}`;
  try {
    await writeFile(draft, text, { mode: 0o600 });
    if (owner !== undefined) await giveTo(draft, owner);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** The text of a file, or undefined when there is none. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Gives a file to `owner`; only root can, and only root needs to. */
export async function giveTo(path: string, owner: FileOwner): Promise<void> {
  if (process.getuid?.() === 0) await chown(path, owner.uid, owner.gid);
}
