import type { ResolvedOptions } from './cache.options.js';

/** When an entry ends, and until when it stands in for something better. */
export interface EntryTimes {
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly staleUntilMs: number;
}

/** `-ln(random)` is larger than this once in 3 × 10^10 draws. */
const XFETCH_HORIZON = 24;

/** The life of a value, by its kind and the options; 0 or less means that it is not stored. */
export function lifeOf(value: unknown, key: string, options: ResolvedOptions): number {
  const isAbsent = value === undefined || value === null;
  if (isAbsent && options.absentTtlMs !== undefined) return options.absentTtlMs;
  if (value === undefined) return 0;
  const { ttlMs } = options;
  const wanted =
    typeof ttlMs === 'function'
      ? (ttlMs as (value: unknown, key: string) => number)(value, key)
      : ttlMs;
  return Math.min(wanted, options.maxTtlMs);
}

/** The times of an entry that is made now and lives `lifeMs`, less its jitter. */
export function timesOf(nowMs: number, lifeMs: number, options: ResolvedOptions): EntryTimes {
  const expiresMs = nowMs + lifeMs * (1 - options.jitter * Math.random());
  const staleUntilMs = expiresMs + Math.max(options.staleMs, options.revalidateMs);
  return { createdMs: nowMs, expiresMs, staleUntilMs };
}

/** The same times within the longest life that a level gives; what is there already stays. */
export function within(
  times: EntryTimes,
  nowMs: number,
  maxLifeMs: number | undefined,
): EntryTimes {
  if (maxLifeMs === undefined || times.expiresMs <= nowMs + maxLifeMs) return times;
  const expiresMs = nowMs + maxLifeMs;
  const graceMs = times.staleUntilMs - times.expiresMs;
  return { createdMs: times.createdMs, expiresMs, staleUntilMs: expiresMs + graceMs };
}

/** From when on a hit has to ask `isRefreshDue`. */
export function dueMs(times: EntryTimes, loadMs: number, options: ResolvedOptions): number {
  let due = times.expiresMs;
  if (options.refreshAhead !== undefined) due = Math.min(due, aheadMs(times, options.refreshAhead));
  if (options.xfetchBeta > 0) {
    due = Math.min(due, times.expiresMs - XFETCH_HORIZON * options.xfetchBeta * loadMs);
  }
  return due;
}

/** Whether a hit on an entry that is still fresh should start a refresh. */
export function isRefreshDue(
  times: EntryTimes,
  nowMs: number,
  loadMs: number,
  options: ResolvedOptions,
): boolean {
  const { refreshAhead, xfetchBeta } = options;
  if (refreshAhead !== undefined && nowMs >= aheadMs(times, refreshAhead)) return true;
  return xfetchBeta > 0 && nowMs - xfetchBeta * loadMs * Math.log(Math.random()) >= times.expiresMs;
}

function aheadMs(times: EntryTimes, part: number): number {
  return times.createdMs + (times.expiresMs - times.createdMs) * part;
}
