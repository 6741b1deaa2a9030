import { describe, expect, it, jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FillReport } from './support/fill.program.js';

// Each attempt is a process that fills and waits; a busy machine takes long for it.
jest.setTimeout(240_000);

const KIB = 1024;
const MIB = 1024 * KIB;
const BOUND = 64 * MIB;
/** As many bytes go through the cache as it may hold, so often. */
const TIMES = 2;
const ATTEMPTS = 2;

const root = new URL('../../', import.meta.url);
const run = promisify(execFile);

async function fill(shape: string, valueBytes: number, env: object = {}): Promise<FillReport> {
  const program = fileURLToPath(new URL('test/cache-http/support/fill.program.ts', root));
  const hooks = new URL('test/start/support/register-typescript.mjs', root).href;
  const { stdout } = await run(
    process.execPath,
    ['--expose-gc', `--import=${hooks}`, program, shape, ...[BOUND, valueBytes, TIMES].map(String)],
    { cwd: fileURLToPath(root), env: { PATH: process.env['PATH'], ...env } },
  );
  return JSON.parse(stdout) as FillReport;
}

describe('the bound of the first level', () => {
  // Flat texts of 1 MB lie outside of V8's heap, where glibc leaves holes unless it maps each.
  it.each([
    ['texts of 1 KB', 'text', KIB, {}],
    ['rows of 1 MB together', 'rows', MIB, {}],
    ['texts of 1 MB', 'text', MIB, { MALLOC_MMAP_THRESHOLD_: '131072' }],
  ])(
    'holds for %s, and the process grows by 1.3 times as much at most',
    async (_, shape, bytes, env) => {
      let least = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < ATTEMPTS && least > 1.3; attempt += 1) {
        const report = await fill(shape, bytes, env);
        expect(report.mostBytes).toBeLessThanOrEqual(BOUND);
        expect(report.heldBytes).toBeGreaterThan(0.9 * BOUND);
        least = Math.min(least, report.rssGrowthBytes / BOUND);
      }
      expect(least).toBeLessThanOrEqual(1.3);
    },
  );
});
