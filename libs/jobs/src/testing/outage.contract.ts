import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { JobBackend } from '../backend/job-backend.js';
import { defineJob } from '../job-definition.js';
import { gate, JobsHarness, until } from './jobs-harness.js';
import { TcpProxy } from './tcp-proxy.js';

const work = defineJob({ name: 'work', schema: z.number() });
const TIMEOUT_MS = 300;

export interface OutageFixture {
  /** URL of the real server. */
  readonly url: string;
  readonly createBackend: (url: string) => JobBackend;
  readonly close: () => Promise<void>;
}

/** What every backend must do while its server is cut off or frozen, and afterwards. */
export function describeOutages(name: string, createFixture: () => Promise<OutageFixture>): void {
  describe(`${name} during an outage`, () => {
    let fixture: OutageFixture;
    let proxy: TcpProxy;
    const harnesses: JobsHarness[] = [];

    const process = (): JobsHarness => {
      const harness = new JobsHarness(fixture.createBackend(proxy.url), {
        operationTimeoutMs: TIMEOUT_MS,
        shutdownDeadlineMs: 500,
      });
      harnesses.push(harness);
      return harness;
    };
    const opened = async (jobs: JobsHarness): Promise<JobsHarness> => {
      await until(async () => (await jobs.health.check()).status === 'up', 'the store is open');
      return jobs;
    };

    beforeEach(async () => {
      fixture = await createFixture();
      proxy = await TcpProxy.start(fixture.url);
    });

    afterEach(async () => {
      await Promise.all(harnesses.splice(0).map((harness) => harness.close()));
      await proxy.cut();
      await fixture.close();
    });

    for (const [how, begin, end] of [
      ['is cut off', () => proxy.cut(), () => proxy.restore()],
      ['is frozen', () => proxy.freeze(), () => proxy.thaw()],
    ] as const) {
      it(`fails with a code within the time limit when the server ${how}, and works again after`, async () => {
        const jobs = await opened(process().handle(work, () => Promise.resolve()));
        await jobs.queue.enqueue(work, 1);
        await begin();
        for (let i = 0; i < 3; i++) {
          const startedMs = performance.now();
          await expect(jobs.queue.enqueue(work, 2)).rejects.toMatchObject({
            code: 'JOBS_UNAVAILABLE',
            kind: 'unavailable',
          });
          expect(performance.now() - startedMs).toBeLessThan(TIMEOUT_MS + 500);
        }
        expect((await jobs.health.check()).status).toBe('down');
        await end();
        await opened(jobs);
        await jobs.queue.enqueue(work, 3);
      });

      it(`goes on working by itself after the server ${how} while its worker is idle`, async () => {
        const seen: number[] = [];
        const worker = process()
          .handle(work, (n) => Promise.resolve(seen.push(n)))
          .work();
        await opened(worker);
        await until(async () => (await worker.health.check()).serving.length === 1, 'it serves');
        await begin();
        await expect(worker.queue.enqueue(work, 1)).rejects.toThrow();
        await end();
        await opened(worker);
        await worker.queue.enqueue(work, 2);
        await until(() => seen.includes(2), 'the job has run');
      });

      it(`loses no job that runs while the server ${how}`, async () => {
        const started = gate();
        const finish = gate();
        let runs = 0;
        const worker = process()
          .handle(work, async () => {
            runs += 1;
            started.open();
            await finish.promise;
          })
          .work();
        await opened(worker);
        const { id } = await worker.queue.enqueue(work, 1);
        await started.promise;
        await begin();
        finish.open();
        await expect(worker.browser.get(id)).rejects.toMatchObject({ code: 'JOBS_UNAVAILABLE' });
        await end();
        await opened(worker);
        await until(async () => (await worker.browser.get(id)).state === 'completed', 'it is done');
        expect(runs).toBeGreaterThanOrEqual(1);
      });

      it(`stops within its limits while the server ${how}`, async () => {
        const jobs = process()
          .handle(work, () => Promise.resolve())
          .work();
        await opened(jobs);
        await begin();
        const startedMs = performance.now();
        await jobs.close();
        expect(performance.now() - startedMs).toBeLessThan(4_500);
      });
    }

    it('starts without its server and begins to work once that is there', async () => {
      await proxy.cut();
      const seen: number[] = [];
      const jobs = process()
        .handle(work, (n) => Promise.resolve(seen.push(n)))
        .work();
      await expect(jobs.queue.enqueue(work, 1)).rejects.toMatchObject({ code: 'JOBS_UNAVAILABLE' });
      await proxy.restore();
      await opened(jobs);
      await jobs.queue.enqueue(work, 2);
      await until(() => seen.includes(2), 'the job has run');
    });

    it('logs an outage once, not for every attempt', async () => {
      const jobs = process()
        .handle(work, () => Promise.resolve())
        .work();
      await opened(jobs);
      await proxy.cut();
      await expect(jobs.queue.enqueue(work, 1)).rejects.toThrow();
      await expect(jobs.queue.enqueue(work, 1)).rejects.toThrow();
      expect(jobs.logged.filter(({ level }) => level === 'warn')).toHaveLength(1);
    });
  });
}
