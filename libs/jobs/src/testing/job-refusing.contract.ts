import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineJob } from '../job-definition.js';
import { until } from './jobs-harness.js';
import { greet, other, type StartProcess } from './sample-jobs.js';

/** What is refused before it runs: payloads that do not fit and jobs nobody handles. */
export function describeRefusing(process: StartProcess): void {
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
}
