import { describe, expect, it } from '@jest/globals';
import { runPhases } from './shutdown-phases.js';

const never = new Promise<void>(() => undefined);

describe('runPhases', () => {
  it('runs one after another, each beginning when the one before has ended', async () => {
    const order: string[] = [];
    const phase = (name: string) => ({
      name,
      deadlineMs: 10_000,
      async run() {
        order.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} ends`);
      },
    });

    const reports = await runPhases([phase('one'), phase('two')]);

    expect(order).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
    expect(reports).toMatchObject([
      { name: 'one', outcome: 'done' },
      { name: 'two', outcome: 'done' },
    ]);
  });

  it('goes on after phases that fail, in whatever way', async () => {
    const error = new Error('the disk is full');
    const fail = (): never => {
      throw error;
    };
    const reports = await runPhases([
      { name: 'one', deadlineMs: 10_000, run: () => Promise.reject(error) },
      { name: 'two', deadlineMs: 10_000, run: fail },
      { name: 'three', deadlineMs: 10_000, run: () => Promise.resolve() },
    ]);
    expect(reports).toMatchObject([
      { name: 'one', outcome: 'failed', error },
      { name: 'two', outcome: 'failed', error },
      { name: 'three', outcome: 'done' },
    ]);
  });

  it('tells a phase to give up at its deadline, and reports that it overran', async () => {
    const [report] = await runPhases([
      {
        name: 'requests',
        deadlineMs: 5,
        run: (signal) =>
          new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => resolve());
          }),
      },
    ]);
    expect(report).toMatchObject({ name: 'requests', outcome: 'overran' });
    expect(report?.ms).toBeGreaterThanOrEqual(4);
  });

  it('leaves behind a phase that does not even give up', async () => {
    const reports = await runPhases([
      { name: 'one', deadlineMs: 5, run: () => never },
      { name: 'two', deadlineMs: 10_000, run: () => Promise.resolve() },
    ]);
    expect(reports.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['one', 'overran'],
      ['two', 'done'],
    ]);
  });
});
