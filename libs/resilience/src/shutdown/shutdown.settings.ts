import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

const deadlineMs = (defaultMs: number) => z.number().int().min(100).max(600_000).default(defaultMs);

/** Settings of the end of a process: how long each of its phases may take. */
export const shutdownSettings = defineSettings('shutdown', {
  drainDelayMs: z.number().int().min(0).max(120_000).default(0).meta({
    description: 'Time between readiness turning 503 and the end of work, for a load balancer',
  }),
  // Longer than jobs.shutdownDeadlineMs and jobs.abortGraceMs together.
  workDeadlineMs: deadlineMs(12_000).meta({
    description: 'Longest wait for jobs to end; what still runs then is run again elsewhere',
  }),
  requestsDeadlineMs: deadlineMs(8_000).meta({
    description: 'Requests under way may finish for this long; then they are cut off',
  }),
  flushDeadlineMs: deadlineMs(5_000).meta({
    description: 'Longest time for writing what waits in memory and leaving Redis and the queue',
  }),
  storesDeadlineMs: deadlineMs(3_000).meta({
    description: 'Longest time for closing the connections to the database',
  }),
  // Longer than postgres.stopTimeoutMs.
  databaseDeadlineMs: deadlineMs(15_000).meta({
    description: 'Longest wait for the embedded PostgreSQL; it goes on ending when this is over',
  }),
});

export type ShutdownSettings = SettingsOf<typeof shutdownSettings>;
