import type { JobDefinition } from './job-definition.js';
import type { Schedule } from './schedule.js';

/** A schedule for a job. */
export interface JobSchedule {
  readonly job: JobDefinition;
  readonly schedule: Schedule;
}

/**
 * A provider that knows schedules which follow from other metadata than `@Scheduled`. They count as
 * declared: one that is no longer given is removed when a process with workers starts.
 */
export abstract class DeclaresSchedules {
  /** Asked once, when the application starts. */
  abstract schedules(): readonly JobSchedule[];
}
