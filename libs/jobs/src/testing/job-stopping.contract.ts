import { describe, expect, it } from '@jest/globals';
import type { JobRun } from '../job-run.js';
import { gate, until } from './jobs-harness.js';
import { greet, single, type StartProcess } from './sample-jobs.js';

/** How runs end before their time: at their limit, when the process stops, when it dies. */
export function describeStopping(process: StartProcess): void {
  describe('stopping', () => {
    const waitForAbort = (run: JobRun): Promise<never> =>
      new Promise((_, reject) => {
        run.signal.addEventListener('abort', () => reject(run.signal.reason as Error));
      });

    /** A job that was running when its process ended; gives its id. */
    const leaveUnfinished = async (): Promise<string> => {
      const started = gate();
      const left = process({ shutdownDeadlineMs: 0, abortGraceMs: 10 })
        .handle(greet, () => {
          started.open();
          return new Promise(() => undefined);
        })
        .work();
      const { id } = await left.queue.enqueue(greet, { name: 'Ada' });
      await started.promise;
      await left.close();
      return id;
    };

    it('aborts a run that takes too long and counts it as failed', async () => {
      const jobs = process({ timeoutMs: 50 })
        .handle(single, (_, run) => waitForAbort(run))
        .work();
      await jobs.queue.enqueue(single, {});
      await until(() => jobs.events.some(({ type }) => type === 'failed'), 'it has failed');
      expect(jobs.events).toContainEqual(
        expect.objectContaining({ type: 'failed', code: 'JOB_TIMEOUT', willRetry: true }),
      );
    });

    it('gives up a run that does not heed its signal', async () => {
      const jobs = process({ timeoutMs: 50, abortGraceMs: 50 })
        .handle(single, () => new Promise(() => undefined))
        .work();
      await jobs.queue.enqueue(single, {});
      await until(() => jobs.events.some(({ type }) => type === 'failed'), 'it has failed');
      expect(jobs.logged).toContainEqual(
        expect.objectContaining({
          level: 'error',
          data: expect.objectContaining({ code: 'JOB_IGNORES_SIGNAL' }),
        }),
      );
    });

    it('lets a running job finish when the process stops', async () => {
      const started = gate();
      const finish = gate();
      const jobs = process()
        .handle(greet, async () => {
          started.open();
          await finish.promise;
        })
        .work();
      const { id } = await jobs.queue.enqueue(greet, { name: 'Ada' });
      await started.promise;
      const stopped = jobs.stopWorkers();
      finish.open();
      expect(await stopped).toEqual({ running: 1, finished: 1, aborted: 0, abandoned: 0 });
      expect((await jobs.browser.get(id)).state).toBe('completed');
    });

    it('puts a job back without costing it an attempt when the deadline passes', async () => {
      const started = gate();
      const jobs = process({ shutdownDeadlineMs: 50 })
        .handle(greet, (_, run) => {
          started.open();
          return waitForAbort(run);
        })
        .work();
      const { id } = await jobs.queue.enqueue(greet, { name: 'Ada' });
      await started.promise;
      expect(await jobs.stopWorkers()).toMatchObject({ running: 1, finished: 0, aborted: 1 });
      expect(await jobs.browser.get(id)).toMatchObject({ state: 'waiting', attempts: 0 });
      const attempt = gate<number>();
      process()
        .handle(greet, (_, run) => Promise.resolve(attempt.open(run.attempt)))
        .work();
      expect(await attempt.promise).toBe(1);
    });

    it('runs a job again that a process left unfinished', async () => {
      await leaveUnfinished();
      const done = gate();
      const jobs = process()
        .handle(greet, () => Promise.resolve(done.open()))
        .work();
      await done.promise;
      await until(() => jobs.events.some(({ type }) => type === 'stalled'), 'it has stalled');
    });

    it('fails a job during which processes die too often, instead of trying for ever', async () => {
      const id = await leaveUnfinished();
      let runs = 0;
      const jobs = process({ maxStalledCount: 0 })
        .handle(greet, () => Promise.resolve(++runs))
        .work();
      await until(() => jobs.events.some(({ type }) => type === 'failed'), 'it has failed');
      expect((await jobs.browser.get(id)).failedReason).toContain('stalled');
      expect(runs).toBe(0);
    });

    it('may be stopped and closed twice', async () => {
      const jobs = process()
        .handle(greet, () => Promise.resolve())
        .work();
      await jobs.queue.enqueue(greet, { name: 'Ada' });
      await Promise.all([jobs.close(), jobs.close()]);
      await jobs.close();
      await expect(jobs.queue.enqueue(greet, { name: 'Ada' })).rejects.toMatchObject({
        code: 'JOBS_UNAVAILABLE',
      });
    });
  });
}
