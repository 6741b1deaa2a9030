import { chmodSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder that every user can pass through. */
export function temporaryFolder(name: string): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `${name}-`));
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Everything in a folder with mode, owner, size and time of its last change, to compare. */
export function snapshot(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    entries.map((name) => {
      const { mode, uid, size, mtimeMs } = lstatSync(join(folder, name));
      const isFolder = (mode & 0o170000) === 0o040000;
      return [name, `${mode.toString(8)} ${uid} ${isFolder ? '' : `${size} ${mtimeMs}`}`];
    }),
  );
}
