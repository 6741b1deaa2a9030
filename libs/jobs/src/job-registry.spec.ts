import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineJob } from './job-definition.js';
import { JobRegistry } from './job-registry.js';

const noPayload = z.strictObject({});
const sweep = defineJob({ name: 'sweep', schema: noPayload });
const run = () => Promise.resolve();

describe('JobRegistry', () => {
  it('accepts jobs that have one handler each', async () => {
    const registry = new JobRegistry();
    registry.addHandler(sweep, 'Sweeper.run', run);
    registry.declare(sweep);
    registry.addSchedule(sweep, { everyMs: 1_000 });
    await registry.verify();
    expect(registry.schedules).toEqual([{ id: 'sweep', job: sweep, payload: {}, everyMs: 1_000 }]);
  });

  it('refuses a job without a handler, with the remedy', async () => {
    const registry = new JobRegistry();
    registry.declare(sweep);
    await expect(registry.verify()).rejects.toThrow(/Job "sweep" has no handler\. Put @JobHandler/);
  });

  it('refuses a scheduled job without a handler', async () => {
    const registry = new JobRegistry();
    registry.addSchedule(sweep, { everyMs: 1_000 });
    await expect(registry.verify()).rejects.toThrow(/Job "sweep" has no handler/);
  });

  it('refuses a job with two handlers, naming both', async () => {
    const registry = new JobRegistry();
    registry.addHandler(sweep, 'Sweeper.run', run);
    registry.addHandler(sweep, 'Broom.go', run);
    await expect(registry.verify()).rejects.toThrow(
      /2 handlers: Sweeper\.run and Broom\.go\. Remove/,
    );
  });

  it('refuses two jobs of one name', async () => {
    const registry = new JobRegistry();
    registry.addHandler(sweep, 'Sweeper.run', run);
    registry.declare(defineJob({ name: 'sweep', schema: noPayload }));
    await expect(registry.verify()).rejects.toThrow(/Two jobs are called "sweep"\. Rename/);
  });

  it('refuses jobs that share a queue but not its concurrency', async () => {
    const registry = new JobRegistry();
    const queue = 'shared';
    const one = defineJob({ name: 'one', schema: noPayload, queue, concurrency: 1 });
    const two = defineJob({ name: 'two', schema: noPayload, queue, concurrency: 2 });
    registry.addHandler(one, 'A.run', run);
    registry.addHandler(two, 'B.run', run);
    await expect(registry.verify()).rejects.toThrow(/share the queue "shared".*Make them equal/s);
  });

  it.each([
    [
      'neither interval nor pattern',
      {} as never,
      /Schedule "sweep" of job "sweep": it needs either everyMs or pattern/,
    ],
    ['an interval that is too short', { everyMs: 5 }, /everyMs must be a whole number from 100/],
    ['a pattern that is no cron pattern', { pattern: 'daily' }, /five or six fields/],
    ['a pattern out of range', { pattern: '99 3 * * *' }, /not one of cron/],
    ['a time zone that does not exist', { pattern: '0 3 * * *', timezone: 'Mars' }, /time zone/],
    ['a payload that the job refuses', { everyMs: 1_000, payload: { a: 1 } }, /payload/],
  ])('refuses a schedule with %s', async (_, schedule, message) => {
    const registry = new JobRegistry();
    registry.addHandler(sweep, 'Sweeper.run', run);
    registry.addSchedule(sweep, schedule);
    await expect(registry.verify()).rejects.toThrow(message);
  });

  it('refuses two schedules of one id', async () => {
    const registry = new JobRegistry();
    registry.addHandler(sweep, 'Sweeper.run', run);
    registry.addSchedule(sweep, { everyMs: 1_000 });
    registry.addSchedule(sweep, { everyMs: 2_000 });
    await expect(registry.verify()).rejects.toThrow(/Two schedules are called "sweep"/);
  });

  it('lists every fault at once', async () => {
    const registry = new JobRegistry();
    registry.declare(sweep);
    registry.declare(defineJob({ name: 'other', schema: noPayload }));
    await expect(registry.verify()).rejects.toThrow(
      /"sweep" has no handler.*"other" has no handler/s,
    );
  });
});
