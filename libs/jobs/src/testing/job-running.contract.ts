import { describe, expect, it } from '@jest/globals';
import { createContext, currentContext, runWithContext } from '#libs/logging';
import { gate, until } from './jobs-harness.js';
import { greet, single, type StartProcess } from './sample-jobs.js';

/** How jobs run: once, with what they need to know, again after a failure, not too many at once. */
export function describeRunning(process: StartProcess): void {
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
        .handle(greet, (_, run) => Promise.resolve(seen.open({ ...currentContext(), id: run.id })))
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
}
