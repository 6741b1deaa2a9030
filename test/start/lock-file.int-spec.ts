import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { temporaryFolder } from './support/folders.js';

jest.setTimeout(60_000);

it('the lock file is complete: `npm ci` accepts it, and needs nothing else to do so', () => {
  const folder = temporaryFolder('pantheon lock');
  try {
    for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
      copyFileSync(name, join(folder.path, name));
    }

    const { status, stderr } = spawnSync('npm', ['ci', '--dry-run', '--offline', '--no-audit'], {
      cwd: folder.path,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', npm_config_cache: join(folder.path, 'cache') },
    });

    // Where it fails, scripts/complete-lock.mjs may help.
    expect(stderr.split('\n').filter((line) => line.startsWith('npm error'))).toEqual([]);
    expect(status).toBe(0);
  } finally {
    folder.remove();
  }
});
