import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresDataError } from './errors/embedded-postgres-data.error.js';
import { canReach, type OsUser } from './os-user.js';
import { type FileOwner, readIfPresent, writePrivateFile } from './private-file.js';

/** What else may lie in a data folder that holds no cluster yet. */
const HARMLESS = /^(postgres|pantheon|\.gitignore$|\.gitkeep$|\.DS_Store$|lost\+found$)/;

/**
 * The files of one embedded PostgreSQL:
 *
 *     <dataDir>/postgres.lock       the process that runs the server
 *     <dataDir>/postgres.json       how to reach the running server
 *     <dataDir>/postgres.log        what the server says
 *     <dataDir>/postgres.location   where the cluster lies, when that is elsewhere
 *     <home>/postgres/              the cluster; <home> is dataDir unless its user cannot enter it
 *     <home>/postgres.password      the password of its superuser
 */
export class DataFolder {
  private constructor(
    readonly dataDir: string,
    readonly home: string,
    /** Who owns the folder, and so the files in it. */
    readonly owner: FileOwner,
  ) {}

  /** Opens a data folder, making it when it does not exist. */
  static async open(dataDir: string): Promise<DataFolder> {
    try {
      const created = await mkdir(dataDir, { recursive: true });
      // The server's user, who is not root, has to pass through; secrets in it are 0600.
      if (created !== undefined) await chmod(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700);
      return await DataFolder.at(dataDir);
    } catch (cause) {
      throw new EmbeddedPostgresDataError('unusable', dataDir, (cause as Error).message, { cause });
    }
  }

  /** A data folder that exists, or undefined. */
  static async find(dataDir: string): Promise<DataFolder | undefined> {
    try {
      return await DataFolder.at(dataDir);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  private static async at(dataDir: string): Promise<DataFolder> {
    const { uid, gid } = await stat(dataDir);
    const home = (await readIfPresent(join(dataDir, 'postgres.location')))?.trim() ?? dataDir;
    return new DataFolder(dataDir, home, { uid, gid });
  }

  get cluster(): string {
    return join(this.home, 'postgres');
  }

  get password(): string {
    return join(this.home, 'postgres.password');
  }

  get lock(): string {
    return join(this.dataDir, 'postgres.lock');
  }

  get state(): string {
    return join(this.dataDir, 'postgres.json');
  }

  get log(): string {
    return join(this.dataDir, 'postgres.log');
  }

  /** The user that owns the cluster; undefined when there is none yet. */
  async clusterOwner(): Promise<OsUser | undefined> {
    try {
      const { uid, gid } = await stat(this.cluster);
      return { uid, gid };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /**
   * The folder to use for a server that runs as `user`: this one, or, when that user cannot get
   * here, one of its own in `sharedFolder` that a pointer file remembers.
   */
  async reachableBy(user: OsUser | undefined, sharedFolder: string): Promise<DataFolder> {
    if (user === undefined || (await canReach(this.cluster, user))) return this;
    if ((await this.clusterOwner()) !== undefined) {
      const reason = `user ${user.uid}, who owns the database in it, cannot enter it`;
      throw new EmbeddedPostgresDataError('owner', this.cluster, reason);
    }
    const home = join(sharedFolder, randomBytes(8).toString('hex'));
    await mkdir(home, { recursive: true });
    await chmod(sharedFolder, 0o755);
    await chmod(home, 0o711);
    await writePrivateFile(join(this.dataDir, 'postgres.location'), `${home}\n`, this.owner);
    return new DataFolder(this.dataDir, home, this.owner);
  }

  /**
   * Whether a cluster of this major version is there. False when there is none and one may be
   * made. @throws EmbeddedPostgresDataError when the folder holds something else
   */
  async holdsCluster(major: string): Promise<boolean> {
    const entries = await readdir(this.dataDir);
    if (entries.includes('PG_VERSION')) {
      throw new EmbeddedPostgresDataError(
        'foreign',
        this.dataDir,
        'it is the data directory of a PostgreSQL that Pantheon did not create',
      );
    }
    const content = await readdir(this.cluster).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      const fault = error.code === 'ENOTDIR' ? 'foreign' : 'owner';
      throw new EmbeddedPostgresDataError(fault, this.cluster, error.message, { cause: error });
    });
    if (content === undefined || content.length === 0) {
      this.assertNothingElse(entries);
      return false;
    }
    await this.assertClusterFits(content, major);
    return true;
  }

  private assertNothingElse(entries: readonly string[]): void {
    const others = entries.filter((entry) => !HARMLESS.test(entry));
    if (others.length === 0) return;
    throw new EmbeddedPostgresDataError(
      'foreign',
      this.dataDir,
      `it has no database of Pantheon but other things (${others.slice(0, 3).join(', ')})`,
    );
  }

  private async assertClusterFits(content: readonly string[], major: string): Promise<void> {
    const fail = (fault: 'foreign' | 'damaged' | 'version' | 'owner', reason: string): never => {
      throw new EmbeddedPostgresDataError(fault, this.cluster, reason);
    };
    const uid = process.getuid?.() ?? 0;
    const owner = await this.clusterOwner();
    if (uid !== 0 && owner !== undefined && owner.uid !== uid) {
      fail('owner', `it belongs to user ${owner.uid}, and this is user ${uid}`);
    }
    if (!content.includes('PG_VERSION')) {
      fail(
        content.includes('base') || content.includes('global') ? 'damaged' : 'foreign',
        'it is not empty, but has no file PG_VERSION as every PostgreSQL database has',
      );
    }
    const version = (await readIfPresent(join(this.cluster, 'PG_VERSION')))?.trim();
    if (version !== major) {
      fail('version', `it is of PostgreSQL ${version || '(unknown)'}, and this is ${major}`);
    }
    if ((await readIfPresent(this.password)) === undefined) {
      fail('damaged', `the file ${this.password} with its password is missing`);
    }
  }
}
