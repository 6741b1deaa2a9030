/**
 * When a job runs by itself: at a fixed interval, or by a cron pattern (five fields, or six with
 * seconds first) in a time zone, UTC by default.
 */
export type Recurrence =
  | { readonly everyMs: number; readonly pattern?: never; readonly timezone?: never }
  | { readonly pattern: string; readonly timezone?: string; readonly everyMs?: never };

export type Schedule = Recurrence & {
  /** Name of the schedule, unique in the application. Default: the name of the job. */
  readonly id?: string;
  /** Payload of each run. Default: an empty object. */
  readonly payload?: unknown;
};
