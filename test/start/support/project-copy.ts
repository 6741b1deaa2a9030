import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RunningProgram } from './running-program.js';

const PROJECT = process.cwd();
const FILES = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'ormconfig.ts',
  'scripts',
  'apps',
  'libs',
  'bench',
  'dist',
];

/**
 * Copies this project, built and with its packages, to `target`, as somebody who moved the folder
 * would have it. Times are kept, so that nothing has to be built again.
 */
export function copyProject(target: string): void {
  spawnOrThrow(process.execPath, ['scripts/build.mjs']);
  mkdirSync(target, { recursive: true });
  const files = FILES.filter((name) => existsSync(join(PROJECT, name)));
  execFileSync('cp', ['-a', ...files, target], { cwd: PROJECT });
  const packages = join(PROJECT, 'node_modules');
  const isOpenToAll = (statSync(join(packages, '.package-lock.json')).mode & 0o004) !== 0;
  // Links cost nothing, but share the permissions of the originals, and need the same disk.
  const linked = isOpenToAll && spawnSync('cp', ['-al', packages, target]).status === 0;
  if (!linked) {
    execFileSync('cp', ['-a', packages, target]);
    execFileSync('chmod', ['-R', 'go=u-w', target]);
  }
  chmodSync(target, 0o755);
}

interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly user?: { readonly uid?: number; readonly gid?: number };
}

/** `npm start` in a process group of its own, as a terminal gives it one. */
export class NpmStart {
  private constructor(
    readonly folder: string,
    readonly program: RunningProgram,
  ) {}

  static run(folder: string, { environment = {}, user = {} }: StartOptions = {}): NpmStart {
    const program = RunningProgram.run('npm', ['start'], {
      ...user,
      cwd: folder,
      detached: true,
      env: {
        PATH: process.env['PATH'] ?? '',
        npm_config_update_notifier: 'false',
        PORT: '0',
        ...environment,
      },
    });
    return new NpmStart(folder, program);
  }

  /** The URL of the API, once it is ready. */
  async url(): Promise<string> {
    const line = await this.program.line(/^ +API +http/);
    return line.trim().split(/ +/)[1]?.replace(/\/v1$/, '') ?? '';
  }

  /** What Ctrl-C does: the signal reaches every process of the terminal's group. */
  pressCtrlC(): void {
    process.kill(-this.program.pid, 'SIGINT');
  }

  /** Ends it as `kill <pid>` does, and returns its exit code. */
  async terminate(): Promise<number | null> {
    this.program.kill('SIGTERM');
    return (await this.program.ended).code;
  }
}

function spawnOrThrow(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { cwd: PROJECT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} failed:\n${stderr}`);
}
