import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { MemoryReport } from './support/memory.program.js';

const ROOT = new URL('../../', import.meta.url);
/** Ten seconds of a machine that has nothing else to do, and minutes of a busy one. */
const LONG = 240_000;

let report: MemoryReport;

beforeAll(async () => {
  const child = fork(fileURLToPath(new URL('test/resilience/support/memory.program.ts', ROOT)), {
    cwd: fileURLToPath(ROOT),
    execArgv: [`--import=${new URL('test/start/support/register-typescript.mjs', ROOT).href}`],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The program ended with ${code}.`);
  });
  const [message] = await Promise.race([once(child, 'message'), ended]);
  report = message as MemoryReport;
  if (child.exitCode === null) await once(child, 'exit');
}, LONG);

describe('an API whose memory is short', () => {
  it('gives the first level of its cache back before the limit, however much is put into it', () => {
    expect(report.levelsWhileCaching).toContain('shed');
    expect(report.cachedPeakBytes).toBeLessThan(report.limitBytes);
  });

  it('refuses batch work near the limit, and goes on answering what people wait for', () => {
    expect(report.levelsWithBallast).toContain('critical');
    expect(report.critical).toMatchObject({ batch: 503, read: 200 });
    expect(report.ballastPeakBytes).toBeLessThan(report.limitBytes);
  });

  it('recovers by itself when the memory is there again', () => {
    expect(report.levelsWithBallast.at(-1)).toBe('normal');
    expect(report.after).toEqual({ batch: 200, level: 'normal', budgetBytes: 0 });
  });

  it('tells Prometheus', () => {
    expect(report.metrics).toEqual(
      expect.arrayContaining([
        'memory_pressure{level="normal"} 1',
        'memory_pressure{level="critical"} 0',
        `memory_limit_bytes ${report.limitBytes}`,
      ]),
    );
  });
});
