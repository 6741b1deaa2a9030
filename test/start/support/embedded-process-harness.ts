import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { temporaryFolder } from './folders.js';
import { killAllOf } from './processes.js';
import type { RunningProgram } from './running-program.js';
import { copySources, runEmbeddedServer } from './source-copy.js';

/** What `embedded-server.ts` says when it has started or failed. */
export interface Report {
  readonly url: string;
  readonly pid: number;
  readonly code?: string;
  readonly message?: string;
}

/** Embedded servers in processes of their own, each test with a folder of its own. */
export interface EmbeddedProcessHarness {
  /** Everything of the test is in here. */
  readonly folder: string;
  readonly dataDir: string;
  readonly sharedFolder: string;
  /** Puts a database that was made once into `dataDir`, which is quicker than making one. */
  useExistingDatabase(): void;
  /** Starts a process, as `user` and from another copy of the sources when given. */
  run(options?: object, user?: object, copy?: string): RunningProgram;
}

/** Registers what makes and removes the folders of the tests of a file. */
export function embeddedProcessHarness(): EmbeddedProcessHarness {
  let sources: ReturnType<typeof temporaryFolder>;
  let template: ReturnType<typeof temporaryFolder>;
  let folder: ReturnType<typeof temporaryFolder>;
  const harness = {
    folder: '',
    dataDir: '',
    sharedFolder: '',
    useExistingDatabase() {
      execFileSync('cp', ['-a', join(template.path, 'data'), harness.dataDir]);
    },
    run(options: object = {}, user: object = {}, copy: string = sources.path) {
      const { dataDir, sharedFolder } = harness;
      // Without waiting for the disk: killing processes loses nothing that the system has taken.
      const defaults = { dataDir, sharedFolder, settings: { fsync: 'off' } };
      return runEmbeddedServer(copy, { ...defaults, ...options }, user);
    },
  };

  beforeAll(async () => {
    sources = temporaryFolder('pantheon sources');
    template = temporaryFolder('pantheon template');
    copySources(sources.path);
    const program = harness.run({ dataDir: join(template.path, 'data') });
    await startedBy(program);
    await stop(program);
  });
  afterAll(() => {
    sources.remove();
    template.remove();
  });

  beforeEach(() => {
    folder = temporaryFolder('pantheon processes');
    harness.folder = folder.path;
    harness.dataDir = join(folder.path, 'data');
    harness.sharedFolder = join(folder.path, 'shared');
  });
  afterEach(() => {
    killAllOf(folder.path);
    folder.remove();
  });
  return harness;
}

/** What a program says when it has started or failed. */
export async function report(program: RunningProgram): Promise<Report> {
  return JSON.parse(await program.line(/"(url|code)":/)) as Report;
}

/** What a program says when it has started; throws what it says when it has failed. */
export async function startedBy(program: RunningProgram): Promise<Report> {
  const outcome = await report(program);
  if (outcome.code !== undefined) throw new Error(outcome.message);
  return outcome;
}

/** Stops the server of a program in order. */
export async function stop(program: RunningProgram): Promise<void> {
  program.say('stop');
  await program.ended;
}
