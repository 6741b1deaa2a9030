import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { temporaryFolder } from './support/folders.js';

jest.setTimeout(60_000);

let folder: ReturnType<typeof temporaryFolder>;
let project: string;

/** A project of two files with this one's launcher, compiler and settings. */
beforeEach(() => {
  folder = temporaryFolder('pantheon launcher');
  project = join(folder.path, 'small project');
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  for (const name of ['scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
    cpSync(name, join(project, name), { recursive: true });
  }
  for (const name of ['@typescript', 'rolldown', '@types']) {
    symlinkSync(join(process.cwd(), 'node_modules', name), join(project, 'node_modules', name));
  }
  setLock('1.0.0');
  writeFileSync(join(project, 'node_modules/.package-lock.json'), read('package-lock.json'));
  write('libs/core/src/index.ts', `export const word = 'first';\n`);
  write('apps/api/src/main.ts', `import { word } from '#libs/core';\nconsole.log('said', word);\n`);
});

afterEach(() => folder.remove());

function write(name: string, text: string): void {
  mkdirSync(dirname(join(project, name)), { recursive: true });
  writeFileSync(join(project, name), text);
}

function read(name: string): string {
  return readFileSync(join(project, name), 'utf8');
}

function setLock(version: string): void {
  const packages = { '': {}, 'node_modules/some-package': { version, integrity: 'sha512-x' } };
  write('package-lock.json', JSON.stringify({ lockfileVersion: 3, packages }));
}

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(environment: Record<string, string> = {}, nodeArgs: readonly string[] = []): Run {
  return spawnSync(process.execPath, [...nodeArgs, 'scripts/start.mjs'], {
    cwd: project,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', ...environment },
  });
}

describe('building', () => {
  it('happens once, and again when a source changed', () => {
    expect(start()).toMatchObject({
      status: 0,
      stdout: 'said first\n',
      stderr: expect.stringMatching(/^Building …\nBuilt in .* s\.\n$/),
    });
    expect(start()).toMatchObject({ status: 0, stdout: 'said first\n', stderr: '' });

    write('libs/core/src/index.ts', `export const word = 'second';\n`);

    expect(start()).toMatchObject({
      stdout: 'said second\n',
      stderr: expect.stringMatching(/^Bui/),
    });
    expect(start()).toMatchObject({ stdout: 'said second\n', stderr: '' });
  });

  it('is not misled by tests, which are not built', () => {
    start();
    write('libs/core/src/word.spec.ts', 'this is no TypeScript');

    expect(start()).toMatchObject({ stdout: 'said first\n', stderr: '' });
  });

  it('removes what was built from a source that is gone', () => {
    write('libs/core/src/deep/gone.ts', 'export const gone = 1;\n');
    start();
    expect(existsSync(join(project, 'dist/libs/core/src/deep/gone.js'))).toBe(true);

    rmSync(join(project, 'libs/core/src/deep'), { recursive: true });
    start();

    expect(existsSync(join(project, 'dist/libs/core/src/deep'))).toBe(false);
  });

  it('makes again what somebody deleted from dist', () => {
    start();
    rmSync(join(project, 'dist/libs'), { recursive: true });
    utimesSync(join(project, 'libs/core/src/index.ts'), new Date(), new Date());

    expect(start()).toMatchObject({ status: 0, stdout: 'said first\n' });
    expect(existsSync(join(project, 'dist/libs/core/src/index.js'))).toBe(true);
  });

  it('says where it fails, does not start, and tries again', () => {
    write('libs/core/src/index.ts', `export const word: number = 'wrong';\n`);

    for (const _ of [1, 2]) {
      const run = start();
      expect(run).toMatchObject({ status: 1, stdout: '' });
      expect(run.stderr).toMatch(/libs\/core\/src\/index\.ts.*TS2322/s);
      expect(run.stderr).toMatch(/The build failed; the messages above say where\.\n$/);
    }
  });
});

describe('installing', () => {
  /** Stands for npm: writes down how it was called, and leaves the record that npm leaves. */
  function fakeNpm(): string {
    const path = join(folder.path, 'npm-cli.js');
    writeFileSync(
      path,
      `const { copyFileSync, writeFileSync } = require('node:fs');
       console.log('npm is at work');
       writeFileSync('npm-call.json', JSON.stringify({
         args: process.argv.slice(2), cache: process.env.npm_config_cache ?? null }));
       if (process.env.FAKE_NPM_FAILS) process.exit(1);
       copyFileSync('package-lock.json', 'node_modules/.package-lock.json');`,
    );
    return path;
  }

  const call = (): { args: string[]; cache: string | null } =>
    JSON.parse(read('npm-call.json')) as { args: string[]; cache: string | null };
  const wasCalled = (): boolean => existsSync(join(project, 'npm-call.json'));

  it('does not happen when npm has installed what the lock file names', () => {
    expect(start({ npm_execpath: fakeNpm() }).status).toBe(0);

    expect(wasCalled()).toBe(false);
  });

  it('happens when the lock file has changed, once, and shows what npm says', () => {
    setLock('2.0.0');

    const first = start({ npm_execpath: fakeNpm() });
    expect(first).toMatchObject({ status: 0, stdout: 'said first\n' });
    expect(first.stderr).toMatch(/Installing .*npm is at work/s);
    // The compiler is a development dependency, so NODE_ENV=production must not leave it out.
    expect(call().args).toEqual(expect.arrayContaining(['ci', '--include=dev']));

    rmSync(join(project, 'npm-call.json'));
    expect(start({ npm_execpath: fakeNpm() }).stderr).toBe('');
    expect(wasCalled()).toBe(false);
  });

  it('happens when nothing is installed', () => {
    rmSync(join(project, 'node_modules/.package-lock.json'));

    expect(start({ npm_execpath: fakeNpm() }).status).toBe(0);

    expect(wasCalled()).toBe(true);
  });

  it.each([
    ['empty', ''],
    ['a file', '/etc/passwd'],
  ])('uses a cache of its own when HOME is %s', (_, HOME) => {
    setLock('2.0.0');

    expect(start({ npm_execpath: fakeNpm(), HOME }).status).toBe(0);

    expect(call().cache).toMatch(/pantheon-npm-/);
    expect(existsSync(call().cache ?? '')).toBe(false);
  });

  it('says so when npm fails, and does not start', () => {
    setLock('2.0.0');

    const run = start({ npm_execpath: fakeNpm(), FAKE_NPM_FAILS: '1' });

    expect(run).toMatchObject({ status: 1, stdout: '' });
    expect(run.stderr).toContain('npm ci failed');
  });
});

describe('a version of Node', () => {
  const pretend = (version: string): readonly string[] => [
    '--import',
    `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`,
  ];

  it.each(['18.20.4', '20.18.3', '21.7.3', '22.11.0'])(
    'that is too old is refused: %s',
    (version) => {
      expect(start({}, pretend(version))).toMatchObject({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(
          new RegExp(`^Pantheon needs Node 20\\.19 or newer .*this is Node ${version}`),
        ),
      });
    },
  );

  it.each(['20.19.0', '22.12.0', '24.0.0'])('that is new enough is accepted: %s', (version) => {
    expect(start({}, pretend(version)).status).toBe(0);
  });
});
