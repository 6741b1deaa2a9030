export { JobsModule } from './jobs.module.js';
export type { JobsFeatureOptions } from './jobs-feature.js';
export type { JobsRootOptions } from './jobs.runtime.js';
export { jobsControllers } from './http/jobs.controllers.js';
export { migrateJobStore } from './backend/create-job-backend.js';
export { jobsMigrations } from './migrations/index.js';
export { jobsSettings } from './jobs.settings.js';
export type { JobsSettings } from './jobs.settings.js';
export { defineJob } from './job-definition.js';
export type {
  JobBackoff,
  JobDefinition,
  JobInput,
  JobOptions,
  JobPayload,
  JobRetention,
} from './job-definition.js';
export { JobHandler, Scheduled } from './job-handler.decorator.js';
export type { ScheduleSource } from './job-handler.decorator.js';
export type { JobRun } from './job-run.js';
export { DeclaresSchedules } from './declares-schedules.js';
export type { JobSchedule } from './declares-schedules.js';
export type { Recurrence, Schedule } from './schedule.js';
export { JobQueue } from './job-queue.js';
export type { EnqueuedJob, EnqueueOptions } from './job-queue.js';
export { JobsHealth } from './jobs-health.js';
export type { JobsHealthReport, QueueDepth } from './jobs-health.js';
export { jobEvents } from './job-events.js';
export type { JobEvent } from './job-events.js';
export { ExpiredRowsPurger, PurgesExpiredRows } from './purge/expired-rows.js';
export type { ExpiredRows } from './purge/expired-rows.js';
export { expiredRowsPurged, purgeExpired } from './purge/purge-expired.job.js';
export type { PurgeReport } from './purge/purge-expired.job.js';
export {
  JobInterruptedError,
  JobNotDeclaredError,
  JobNotFinishedError,
  JobNotFoundError,
  JobPayloadInvalidError,
  JobPayloadTooLargeError,
  JobScheduleInvalidError,
  JobSetupError,
  JobsUnavailableError,
  JobTimeoutError,
  JobUnknownError,
} from './errors/job-errors.js';
