import { eventChannel } from '#libs/core';

interface JobEventBase {
  readonly job: string;
  readonly queue: string;
  readonly id: string;
}

interface FinishedRun extends JobEventBase {
  /** 1 for the first run of the job. */
  readonly attempt: number;
  /** From the start of this run to its end. */
  readonly durationMs: number;
  /** From the time at which the job could have started to its first run; null for later runs. */
  readonly waitMs: number | null;
}

/** Something that happened to a job. */
export type JobEvent =
  | (JobEventBase & { readonly type: 'enqueued' })
  | (FinishedRun & { readonly type: 'completed' })
  | (FinishedRun & {
      readonly type: 'failed';
      /** Code of the error, or `INTERNAL` when it has none. */
      readonly code: string;
      readonly willRetry: boolean;
    })
  /** The process that ran it died; it runs again. `job` is not known here and empty. */
  | (JobEventBase & { readonly type: 'stalled' });

/** Every event of a job that this process enqueued, ran or took over. */
export const jobEvents = eventChannel<JobEvent>('pantheon.jobs.event');
