import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EmbeddedPostgresStartError } from './errors/embedded-postgres-start.error.js';

/** The user of the operating system as whom PostgreSQL runs. */
export interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

/** Users tried in this order when root starts PostgreSQL and no other is asked for. */
const CANDIDATES = ['postgres', '_postgres', 'nobody'];

/**
 * As whom to run PostgreSQL, which refuses to run as root: undefined means as ourselves. Root
 * takes the owner of an existing cluster, else `wanted`, else the first of postgres and nobody.
 */
export async function chooseOsUser(
  clusterOwner: OsUser | undefined,
  wanted: string | undefined,
): Promise<OsUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  if (clusterOwner !== undefined && clusterOwner.uid !== 0) return clusterOwner;
  const users = await readUsers();
  const names = wanted === undefined ? CANDIDATES : [wanted];
  const found = names.map((name) => users.get(name)).find((user) => user !== undefined);
  if (found !== undefined && found.uid !== 0) return found;
  throw new EmbeddedPostgresStartError(
    `PostgreSQL does not run as root, and this system has no user called ${names.join(' or ')} ` +
      'to run it as; name one in PANTHEON_POSTGRES_OS_USER',
  );
}

const ENTER = 0o1;
const READ_AND_ENTER = 0o5;

/**
 * Whether `user` can enter every folder on the way to `path`, and read it when it exists. Goes by
 * the permission bits, which costs a few microseconds where trying as that user costs a process.
 */
export async function canReach(path: string, user: OsUser): Promise<boolean> {
  let current = await nearestExisting(path);
  let needed = current === (await realpath(path).catch(() => '')) ? READ_AND_ENTER : ENTER;
  for (;;) {
    const { mode, uid, gid } = await stat(current);
    const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
    if (((mode >> shift) & needed) !== needed) return false;
    const parent = dirname(current);
    if (parent === current) return true;
    current = parent;
    needed = ENTER;
  }
}

async function nearestExisting(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return nearestExisting(dirname(path));
  }
}

async function readUsers(): Promise<Map<string, OsUser>> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [name, , uid, gid] = line.split(':');
      return name === undefined || gid === undefined
        ? []
        : [[name, { uid: Number(uid), gid: Number(gid) }] as const];
    }),
  );
}
