import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { EmbeddedPostgres, type EmbeddedPostgresOptions } from '#libs/persistence';
import { temporaryFolder } from './folders.js';
import { killAllOf } from './processes.js';

/** Without waiting for the disk: killing processes loses nothing that the system has taken. */
export const QUICK = { fsync: 'off' };

/** Embedded servers in this process, each test with a folder of its own. */
export interface EmbeddedHarness {
  /** Everything of the test is in here. */
  readonly folder: string;
  /** May be pointed elsewhere by a test. */
  dataDir: string;
  /** Puts a database that was made once into `dataDir`, which is quicker than making one. */
  useExistingDatabase(): void;
  /** Starts a server on `dataDir`, which is stopped after the test. */
  start(options?: Partial<EmbeddedPostgresOptions>): Promise<EmbeddedPostgres>;
}

/** Registers what makes and removes the folders of the tests of a file. */
export function embeddedHarness(): EmbeddedHarness {
  const started: EmbeddedPostgres[] = [];
  let template: ReturnType<typeof temporaryFolder>;
  let folder: ReturnType<typeof temporaryFolder>;
  const harness = {
    folder: '',
    dataDir: '',
    useExistingDatabase() {
      execFileSync('cp', ['-a', join(template.path, 'data'), harness.dataDir]);
    },
    async start(options: Partial<EmbeddedPostgresOptions> = {}) {
      const { dataDir } = harness;
      const postgres = await EmbeddedPostgres.start({ dataDir, settings: QUICK, ...options });
      started.push(postgres);
      return postgres;
    },
  };

  beforeAll(async () => {
    template = temporaryFolder('pantheon template');
    const postgres = await EmbeddedPostgres.start({ dataDir: join(template.path, 'data') });
    await postgres.stop();
  });
  afterAll(() => template.remove());

  beforeEach(() => {
    folder = temporaryFolder('pantheon embedded');
    harness.folder = folder.path;
    harness.dataDir = join(folder.path, 'data');
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((postgres) => postgres.stop()));
    killAllOf(folder.path);
    folder.remove();
  });
  return harness;
}
