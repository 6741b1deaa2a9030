import { describe, expect, it } from '@jest/globals';
import { type JobsHarness, until } from './jobs-harness.js';
import { other, single, type StartProcess } from './sample-jobs.js';

/** Jobs that come again and again, declared in the code or made at run time. */
export function describeSchedules(process: StartProcess): void {
  describe('schedules', () => {
    it('runs a scheduled job again and again', async () => {
      let runs = 0;
      const jobs = process()
        .handle(other, () => Promise.resolve(++runs))
        .declareSchedule(other, { everyMs: 100 })
        .work();
      await jobs.schedules.reconcile();
      await until(() => runs >= 3, 'it has run three times');
      const [view] = await jobs.browser.listSchedules();
      expect(view).toMatchObject({
        id: 'other',
        job: 'other',
        queue: 'default',
        recurrence: { everyMs: 100 },
        declared: true,
      });
    });

    it('stores a schedule once however many processes declare it, and keeps its next time', async () => {
      const declare = (): JobsHarness =>
        process()
          .handle(other, () => Promise.resolve())
          .declareSchedule(other, { pattern: '0 3 * * *', timezone: 'Europe/Berlin' });
      const [a, b] = [declare(), declare()];
      await Promise.all([a.schedules.reconcile(), b.schedules.reconcile()]);
      const first = await a.browser.listSchedules();
      await b.schedules.reconcile();
      expect(await b.browser.listSchedules()).toEqual(first);
      expect(first).toHaveLength(1);
      expect(first[0]?.recurrence).toEqual({ pattern: '0 3 * * *', timezone: 'Europe/Berlin' });
      expect((await a.browser.list({ state: 'delayed' }, 10)).items).toHaveLength(1);
    });

    it('removes schedules that are no longer declared, also of queues that are no longer used', async () => {
      const old = process()
        .handle(other, () => Promise.resolve())
        .handle(single, () => Promise.resolve())
        .declareSchedule(other, { id: 'gone', everyMs: 60_000 })
        .declareSchedule(other, { id: 'kept', everyMs: 60_000 })
        .declareSchedule(single, { everyMs: 60_000 });
      await old.schedules.reconcile();
      const next = process()
        .handle(other, () => Promise.resolve())
        .declareSchedule(other, { id: 'kept', everyMs: 60_000 });
      await next.schedules.reconcile();
      expect((await old.browser.listSchedules()).map(({ id }) => id)).toEqual(['kept']);
    });

    it('refuses a schedule at run time that cannot be followed', async () => {
      const jobs = process().handle(other, () => Promise.resolve());
      const wrong = { id: 'mine', pattern: '0 3 * * 9', payload: {} };
      await expect(jobs.queue.schedule(other, wrong)).rejects.toMatchObject({
        code: 'JOB_SCHEDULE_INVALID',
        kind: 'invalid',
      });
    });

    it('keeps a schedule that was made at run time, until it is ended', async () => {
      const jobs = process().handle(other, () => Promise.resolve());
      await jobs.queue.schedule(other, { id: 'mine', everyMs: 60_000, payload: { a: 1 } });
      await jobs.schedules.reconcile();
      expect(await jobs.browser.listSchedules()).toMatchObject([{ id: 'mine', declared: false }]);
      expect(await jobs.queue.unschedule(other, 'mine')).toBe(true);
      expect(await jobs.queue.unschedule(other, 'mine')).toBe(false);
      expect(await jobs.browser.listSchedules()).toEqual([]);
    });
  });
}
