import { messageOf } from '#libs/core';
import type { JobDefinition } from './job-definition.js';
import type { Recurrence } from './schedule.js';

const SHORTEST_INTERVAL_MS = 100;

/** What is wrong with a schedule, in sentences; nothing when it can be stored. */
export async function faultsOfSchedule(
  job: JobDefinition,
  { everyMs, pattern, timezone }: Partial<Recurrence>,
  payload: unknown,
): Promise<string[]> {
  const faults: string[] = [];
  if ((everyMs === undefined) === (pattern === undefined)) {
    faults.push('it needs either everyMs or pattern');
  }
  if (everyMs !== undefined && !(Number.isInteger(everyMs) && everyMs >= SHORTEST_INTERVAL_MS)) {
    faults.push(`everyMs must be a whole number from ${SHORTEST_INTERVAL_MS}, not ${everyMs}`);
  }
  if (pattern !== undefined) {
    const fault = await faultOfPattern(pattern, timezone);
    if (fault !== undefined) faults.push(fault);
  }
  const checked = job.schema.safeParse(payload);
  if (!checked.success) {
    const issues = checked.error.issues.map(({ path, message }) =>
      `${path.map(String).join('.')} ${message}`.trim(),
    );
    faults.push(`the job refuses its payload (${issues.join('; ')}); give another`);
  }
  return faults;
}

const FIELDS = /^\S+(\s+\S+){4,5}$/;

/** Loads the parser, which takes a hundredth of a second, only for those who have patterns. */
async function faultOfPattern(
  pattern: string,
  timezone: string | undefined,
): Promise<string | undefined> {
  if (timezone !== undefined && !isTimezone(timezone)) {
    return `"${timezone}" is not a time zone, such as Europe/Berlin`;
  }
  if (!FIELDS.test(pattern)) return `the pattern "${pattern}" must have five or six fields`;
  const { CronExpressionParser } = await import('cron-parser');
  try {
    CronExpressionParser.parse(pattern, { tz: timezone ?? 'UTC' }).next();
    return undefined;
  } catch (error) {
    return `the pattern "${pattern}" is not one of cron: ${messageOf(error)}`;
  }
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
