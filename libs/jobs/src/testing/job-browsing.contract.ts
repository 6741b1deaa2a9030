import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineJob } from '../job-definition.js';
import { until } from './jobs-harness.js';
import { greet, other, single, type StartProcess } from './sample-jobs.js';

/** How jobs are found, retried and counted. */
export function describeBrowsing(process: StartProcess): void {
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
}
