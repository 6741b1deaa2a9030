import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createContext, currentContext, runWithContext } from '#libs/logging';
import { z } from 'zod';
import type { JobBackend } from '../backend/job-backend.js';
import { defineJob } from '../job-definition.js';
import type { JobRun } from '../job-run.js';
import { gate, JobsHarness, until } from './jobs-harness.js';

/** A store of a test's own. */
export interface JobStoreFixture {
  /** A backend of one more process on the same store. */
  readonly createBackend: () => JobBackend;
  readonly close: () => Promise<void>;
}

const greet = defineJob({
  name: 'greet',
  schema: z.strictObject({ name: z.string(), times: z.number().int().default(1) }),
  backoff: { type: 'fixed', delayMs: 20 },
});
const other = defineJob({ name: 'other', schema: z.unknown() });
const single = defineJob({ name: 'single', schema: z.unknown(), concurrency: 1 });

/** What every backend must do, seen through the parts that use it. */
export function describeJobStore(
  name: string,
  createFixture: () => Promise<JobStoreFixture>,
): void {
  describe(name, () => {
    let fixture: JobStoreFixture;
    const harnesses: JobsHarness[] = [];

    const process = (...[limits]: [ConstructorParameters<typeof JobsHarness>[1]?]): JobsHarness => {
      const harness = new JobsHarness(fixture.createBackend(), limits);
      harnesses.push(harness);
      return harness;
    };

    beforeEach(async () => {
      fixture = await createFixture();
    });

    afterEach(async () => {
      await Promise.all(harnesses.splice(0).map((harness) => harness.close()));
      await fixture.close();
    });

    describe('running', () => {
      it('runs an enqueued job once, with its checked payload', async () => {
        const seen: unknown[] = [];
        const jobs = process()
          .handle(greet, (payload) => Promise.resolve(seen.push(payload)))
          .work();
        const { id } = await jobs.queue.enqueue(greet, { name: 'Ada' });
        await until(async () => (await jobs.browser.get(id)).state === 'completed', 'it is done');
        expect(seen).toEqual([{ name: 'Ada', times: 1 }]);
      });

      it('keeps what the handler returns and the progress it reports', async () => {
        const jobs = process()
          .handle(greet, async (_, run) => {
            await run.reportProgress({ share: 0.5 });
            return { greeted: 1 };
          })
          .work();
        const { id } = await jobs.queue.enqueue(greet, { name: 'Ada' });
        await until(async () => (await jobs.browser.get(id)).state === 'completed', 'it is done');
        expect(await jobs.browser.get(id)).toMatchObject({
          result: { greeted: 1 },
          progress: { share: 0.5 },
          attempts: 1,
          failedReason: null,
          payload: { name: 'Ada' },
        });
      });

      it('wakes an idle worker of another process without waiting for its next poll', async () => {
        const done = gate();
        const worker = process()
          .handle(greet, () => Promise.resolve(done.open()))
          .work();
        await until(() => worker.health.check().then(({ serving }) => serving.length === 1), 'up');
        const producer = process().handle(greet, () => Promise.resolve());
        await producer.queue.enqueue(greet, { name: 'Ada' });
        await done.promise;
      });

      it('runs a job again after a failure, until its attempts are used up', async () => {
        const attempts: number[] = [];
        const jobs = process()
          .handle(greet, (_, run) => {
            attempts.push(run.attempt);
            return Promise.reject(new Error(`no ${run.attempt}`));
          })
          .work();
        const { id } = await jobs.queue.enqueue(greet, { name: 'Ada' });
        await until(() => jobs.events.length === 4, 'it has failed three times');
        expect(attempts).toEqual([1, 2, 3]);
        expect(await jobs.browser.get(id)).toMatchObject({ attempts: 3, failedReason: 'no 3' });
        expect(jobs.events.filter(({ type }) => type === 'failed')).toMatchObject([
          { attempt: 1, willRetry: true },
          { attempt: 2, willRetry: true },
          { attempt: 3, willRetry: false },
        ]);
      });

      it('runs no more jobs of a queue at once than its concurrency', async () => {
        let running = 0;
        let most = 0;
        let done = 0;
        const jobs = process()
          .handle(single, async () => {
            most = Math.max(most, ++running);
            await new Promise((resolve) => setImmediate(resolve));
            running -= 1;
            done += 1;
          })
          .work();
        await jobs.queue.enqueueMany(single, [1, 2, 3, 4, 5]);
        await until(() => done === 5, 'all are done');
        expect(most).toBe(1);
      });

      it('delays a job as asked and shows when it is due', async () => {
        const jobs = process().handle(greet, () => Promise.resolve());
        const { id } = await jobs.queue.enqueue(greet, { name: 'Ada' }, { delayMs: 60_000 });
        const view = await jobs.browser.get(id);
        expect(view.state).toBe('delayed');
        expect((view.dueAt?.getTime() ?? 0) - view.enqueuedAt.getTime()).toBe(60_000);
      });

      it('gives the id of the waiting job when another with its key is enqueued', async () => {
        const jobs = process().handle(greet, () => Promise.resolve());
        const key = { deduplicationKey: 'ada' };
        const first = await jobs.queue.enqueue(greet, { name: 'Ada' }, key);
        const second = await jobs.queue.enqueue(greet, { name: 'Ada' }, key);
        const third = await jobs.queue.enqueue(greet, { name: 'Ada' });
        expect(second.id).toBe(first.id);
        expect(third.id).not.toBe(first.id);
        expect((await jobs.browser.list({}, 10)).items).toHaveLength(2);
      });

      it('carries the request that enqueued a job into its run', async () => {
        const seen = gate<unknown>();
        const jobs = process()
          .handle(greet, (_, run) =>
            Promise.resolve(seen.open({ ...currentContext(), id: run.id })),
          )
          .work();
        const context = createContext({ requestId: 'req-1', userId: 'user-1' });
        const { id } = await runWithContext(context, () =>
          jobs.queue.enqueue(greet, { name: 'Ada' }),
        );
        expect(await seen.promise).toMatchObject({
          requestId: 'req-1',
          userId: 'user-1',
          jobId: id,
        });
        expect((await jobs.browser.get(id)).requestId).toBe('req-1');
      });

      it('publishes when a job is enqueued and when it is completed', async () => {
        const jobs = process()
          .handle(greet, () => Promise.resolve())
          .work();
        const { id } = await jobs.queue.enqueue(greet, { name: 'Ada' });
        await until(() => jobs.events.length >= 2, 'both events came');
        expect(jobs.events).toMatchObject([
          { type: 'enqueued', job: 'greet', queue: 'default', id },
          { type: 'completed', job: 'greet', id, attempt: 1, durationMs: expect.any(Number) },
        ]);
      });
    });

    describe('refusing', () => {
      it('refuses a payload that does not fit, naming the path of each fault', async () => {
        const jobs = process().handle(greet, () => Promise.resolve());
        const wrong = { name: 7 } as unknown as { name: string };
        await expect(jobs.queue.enqueue(greet, wrong)).rejects.toMatchObject({
          code: 'JOB_PAYLOAD_INVALID',
          faults: [{ path: 'payload.name' }],
        });
      });

      it('refuses a payload that is too large', async () => {
        const jobs = process().handle(greet, () => Promise.resolve());
        await expect(jobs.queue.enqueue(greet, { name: 'a'.repeat(3_000) })).rejects.toMatchObject({
          code: 'JOB_PAYLOAD_TOO_LARGE',
        });
      });

      it('refuses a job that no handler of this application runs', async () => {
        const jobs = process().handle(greet, () => Promise.resolve());
        await expect(jobs.queue.enqueue(other, {})).rejects.toMatchObject({
          code: 'JOB_NOT_DECLARED',
        });
      });

      it('fails a stored job whose payload no longer fits at once, without another attempt', async () => {
        const looser = defineJob({ name: greet.name, schema: z.unknown() });
        const old = process().handle(looser, () => Promise.resolve());
        const { id } = await old.queue.enqueue(looser, { surname: 'Lovelace' });
        const jobs = process()
          .handle(greet, () => Promise.resolve())
          .work();
        await until(() => jobs.events.some(({ type }) => type === 'failed'), 'it has failed');
        expect(await jobs.browser.get(id)).toMatchObject({
          attempts: 1,
          failedReason: expect.stringMatching(/payload\.name.*\[JOB_PAYLOAD_INVALID\]$/),
        });
        expect(jobs.events).toContainEqual(
          expect.objectContaining({
            type: 'failed',
            code: 'JOB_PAYLOAD_INVALID',
            willRetry: false,
          }),
        );
      });
    });

    describe('stopping', () => {
      const waitForAbort = (run: JobRun): Promise<never> =>
        new Promise((_, reject) => {
          run.signal.addEventListener('abort', () => reject(run.signal.reason as Error));
        });

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
        const started = gate();
        const left = process({ shutdownDeadlineMs: 0, abortGraceMs: 10 })
          .handle(greet, () => {
            started.open();
            return new Promise(() => undefined);
          })
          .work();
        await left.queue.enqueue(greet, { name: 'Ada' });
        await started.promise;
        await left.close();
        const done = gate();
        const jobs = process()
          .handle(greet, () => Promise.resolve(done.open()))
          .work();
        await done.promise;
        await until(() => jobs.events.some(({ type }) => type === 'stalled'), 'it has stalled');
      });

      it('fails a job during which processes die too often, instead of trying for ever', async () => {
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

    describe('browsing', () => {
      it('lists jobs in pages that hold each job once', async () => {
        const jobs = process()
          .handle(greet, () => Promise.resolve())
          .handle(single, () => Promise.resolve());
        const names = Array.from({ length: 5 }, (_, i) => ({ name: `n${i}` }));
        const enqueued = await jobs.queue.enqueueMany(greet, names);
        enqueued.push(await jobs.queue.enqueue(single, {}, { delayMs: 60_000 }));
        enqueued.push(await jobs.queue.enqueue(greet, { name: 'p' }, { priority: 1 }));
        const ids: string[] = [];
        for (let page = await jobs.browser.list({}, 3); ;) {
          ids.push(...page.items.map(({ id }) => id));
          if (page.next === null) break;
          page = await jobs.browser.list({}, 3, page.next);
        }
        expect(ids.sort()).toEqual(enqueued.map(({ id }) => id).sort());
      });

      it('filters by state and name', async () => {
        const jobs = process()
          .handle(greet, () => Promise.resolve())
          .handle(other, () => Promise.resolve());
        await jobs.queue.enqueue(greet, { name: 'Ada' });
        const { id } = await jobs.queue.enqueue(other, {});
        await jobs.queue.enqueue(other, {}, { delayMs: 60_000 });
        const { items } = await jobs.browser.list({ state: 'waiting', name: 'other' }, 10);
        expect(items.map((job) => job.id)).toEqual([id]);
        expect((await jobs.browser.list({ state: 'failed' }, 10)).items).toEqual([]);
      });

      it('runs a failed job again with all its attempts, and refuses one that has not finished', async () => {
        let fails = true;
        const jobs = process()
          .handle(other, () => (fails ? Promise.reject(new Error('no')) : Promise.resolve('ok')))
          .handle(single, () => Promise.resolve());
        const quick = defineJob({ name: 'quick', schema: z.unknown(), attempts: 1 });
        jobs
          .handle(quick, () => (fails ? Promise.reject(new Error('no')) : Promise.resolve('ok')))
          .work();
        const { id } = await jobs.queue.enqueue(quick, {});
        await until(async () => (await jobs.browser.get(id)).state === 'failed', 'it has failed');
        fails = false;
        await jobs.browser.retry(id);
        await until(async () => (await jobs.browser.get(id)).state === 'completed', 'it is done');
        const waiting = await jobs.queue.enqueue(single, {}, { delayMs: 60_000 });
        await expect(jobs.browser.retry(waiting.id)).rejects.toMatchObject({
          code: 'JOB_NOT_FINISHED',
        });
        await expect(jobs.browser.retry('unknown')).rejects.toMatchObject({
          code: 'JOB_NOT_FOUND',
        });
      });

      it('tells the depth of each queue', async () => {
        const jobs = process()
          .handle(greet, () => Promise.resolve())
          .handle(single, () => Promise.resolve());
        await jobs.queue.enqueueMany(greet, [{ name: 'a' }, { name: 'b' }]);
        await jobs.queue.enqueue(single, {}, { delayMs: 60_000 });
        expect(await jobs.health.check()).toMatchObject({
          status: 'up',
          serving: [],
          queues: [
            { queue: 'default', waiting: 2, delayed: 0 },
            { queue: 'single', waiting: 0, delayed: 1 },
          ],
        });
      });
    });
  });
}
