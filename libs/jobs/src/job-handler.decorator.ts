import type { SettingsStore } from '#libs/config';
import { Reflector } from '@nestjs/core';
import type { z } from 'zod';
import type { JobDefinition, JobPayload } from './job-definition.js';
import type { JobRun } from './job-run.js';
import type { Schedule } from './schedule.js';

/** A schedule, or how to make one from the settings; `null` switches it off. */
export type ScheduleSource = Schedule | ((settings: SettingsStore) => Schedule | null);

/** What `@JobHandler` records on a method. */
export const JobHandlerMetadata = Reflector.createDecorator<JobDefinition>();

/** What `@Scheduled` records on a method. */
export const ScheduledMetadata = Reflector.createDecorator<readonly ScheduleSource[]>();

type HandlerDecorator<Payload> = <
  Method extends (payload: Payload, run: JobRun) => Promise<unknown>,
>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

/**
 * Makes a provider's method the handler of a job. It gets the checked payload and the run, and
 * what it resolves to is kept as the job's result. It may run again after a crash, so its effect
 * must be the same when repeated, and it should stop when `run.signal` aborts.
 */
export function JobHandler<Schema extends z.ZodType>(
  job: JobDefinition<Schema>,
): HandlerDecorator<JobPayload<Schema>> {
  return (target, key, descriptor) => {
    JobHandlerMetadata(job as unknown as JobDefinition)(target, key, descriptor);
  };
}

/**
 * Runs the job that the method handles on a schedule, in one process at a time however many
 * there are. Stands beside `@JobHandler`. A schedule that is no longer declared is removed when
 * a process with workers starts.
 */
export function Scheduled(...schedules: readonly ScheduleSource[]): MethodDecorator {
  return ScheduledMetadata(schedules);
}
