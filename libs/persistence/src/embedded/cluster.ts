import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { promisify } from 'node:util';
import type { DataFolder } from './data-folder.js';
import { EmbeddedPostgresStartError } from './errors/embedded-postgres-start.error.js';
import type { OsUser } from './os-user.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import { giveTo, writePrivateFile } from './private-file.js';

/** Name of the database and of the superuser that owns it. */
export const DATABASE_NAME = 'pantheon';

/** What PostgreSQL sees of our environment: nothing, so that no PG… variable changes what it does. */
export const SERVER_ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: process.env['PATH'] ?? '' };

/**
 * Creates the cluster and the database of a data folder. It is made under another name and renamed
 * when complete, so that a process killed in between leaves nothing that looks like a database.
 */
export async function createCluster(
  folder: DataFolder,
  binaries: PostgresBinaries,
  user: OsUser | undefined,
): Promise<void> {
  const draft = `${folder.cluster}.creating`;
  const passwordDraft = `${folder.password}.creating`;
  const password = randomBytes(24).toString('base64url');
  const owner = user ?? folder.owner;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft);
    await chmod(draft, 0o700);
    await giveTo(draft, owner);
    await writeFile(passwordDraft, password, { mode: 0o600 });
    await giveTo(passwordDraft, owner);
    await promisify(execFile)(
      binaries.initdb,
      [
        `--pgdata=${draft}`,
        `--username=${DATABASE_NAME}`,
        `--pwfile=${passwordDraft}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--data-checksums',
      ],
      { ...user, cwd: draft, env: SERVER_ENVIRONMENT },
    );
    await createDatabase(draft, binaries, user);
    await writePrivateFile(folder.password, password, folder.owner);
    // An empty folder may stand in the place, made by the operator.
    await rmdir(folder.cluster).catch(() => undefined);
    await rename(draft, folder.cluster);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    throw creationError(cause);
  } finally {
    await rm(passwordDraft, { force: true });
  }
}

/** In single-user mode, which needs neither a port nor a client. */
async function createDatabase(
  cluster: string,
  binaries: PostgresBinaries,
  user: OsUser | undefined,
): Promise<void> {
  const child = spawn(binaries.postgres, ['--single', '-j', '-D', cluster, 'postgres'], {
    ...user,
    cwd: cluster,
    env: SERVER_ENVIRONMENT,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stdin.end(`CREATE DATABASE ${DATABASE_NAME};\n`);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0 || /\b(ERROR|FATAL|PANIC):/.test(said)) {
    throw Object.assign(new Error('could not create the database'), { stderr: said });
  }
}

function creationError(cause: unknown): EmbeddedPostgresStartError {
  const { stderr = '', message } = cause as Error & { readonly stderr?: string };
  const logTail = stderr.split('\n').filter(Boolean).slice(-10);
  const reason = logTail.length > 0 ? 'initdb could not create the database' : message;
  return new EmbeddedPostgresStartError(reason, { logTail, cause });
}
