import { Injectable } from '@nestjs/common';
import { defineJob, JobHandler, type JobRun, Scheduled } from '#libs/jobs';
import { z } from 'zod';
import { PreloadService, type PreloadOutcome } from './preload.service.js';

const REFRESH_EVERY_MS = 300_000;

/** Puts the memories of one user into the cache. */
export const preloadMemories = defineJob({
  name: 'context-preload',
  schema: z.strictObject({ userId: z.uuid(), organizationId: z.uuid() }),
  attempts: 2,
  timeoutMs: 60_000,
});

/** Does so again for the users who want to stay preloaded. */
export const refreshPreloads = defineJob({
  name: 'context-preload-refresh',
  queue: 'maintenance',
  schema: z.strictObject({}),
  attempts: 1,
  timeoutMs: REFRESH_EVERY_MS,
});

/** The background work of preloading. */
@Injectable()
export class PreloadJobs {
  constructor(private readonly preloads: PreloadService) {}

  @JobHandler(preloadMemories)
  preload(owner: z.infer<typeof preloadMemories.schema>): Promise<PreloadOutcome> {
    return this.preloads.run(owner);
  }

  @JobHandler(refreshPreloads)
  @Scheduled({ everyMs: REFRESH_EVERY_MS })
  async refresh(_payload: unknown, { signal }: JobRun): Promise<{ users: number }> {
    return { users: await this.preloads.refreshDue(signal) };
  }
}
