import type { DefaultJobOptions } from 'bullmq';
import type { JobDefinition, JobRetention } from './job-definition.js';

/** The options of a job in BullMQ's terms. */
export function jobOptions(job: JobDefinition): DefaultJobOptions {
  const { type, delayMs, jitter } = job.backoff;
  return {
    attempts: job.attempts,
    backoff: { type, delay: delayMs, ...(jitter !== undefined && { jitter }) },
    removeOnComplete: retention(job.keepCompleted),
    removeOnFail: retention(job.keepFailed),
    stackTraceLimit: 5,
  };
}

function retention({ count, ageSeconds }: JobRetention): { count: number; age: number } {
  return { count, age: ageSeconds };
}
