import { Clock, SystemClock } from '#libs/core';
import type { Connection } from '../connection/connection.js';
import type { ReadLimits } from '../connection/read-only.js';
import { loadGrammar } from './grammar.js';
import { mergeStatements } from './merge-statements.js';
import { readStatStatements } from './read-statements.js';
import type { RecordedWorkload, Workload, WorkloadSource } from './workload.js';

/** Where a workload comes from beside pg_stat_statements. */
export interface ReadWorkloadOptions {
  readonly sources?: readonly WorkloadSource[];
  readonly limits?: ReadLimits;
  readonly clock?: Clock;
}

const DAY_MS = 86_400_000;
/** Shorter periods are not blown up to a day: one minute says little about a week. */
const SHORTEST_DAYS = 1 / 24;

/**
 * Reads what a database is asked: from pg_stat_statements, and from the sources given, whose
 * parameters make plans exact. What cannot be read stands in the notes and is no error.
 */
export async function readWorkload(
  connection: Connection,
  { sources = [], limits, clock = new SystemClock() }: ReadWorkloadOptions = {},
): Promise<Workload> {
  const recorded = [await readStatStatements(connection, limits)];
  for (const source of sources) recorded.push(await source.read());
  return joinWorkload(recorded, clock.now());
}

/** What several sources counted until `now` as one workload over the longest of their periods. */
export async function joinWorkload(
  recorded: readonly RecordedWorkload[],
  now: Date,
): Promise<Workload> {
  const grammar = await loadGrammar();
  const periods = recorded.map(({ since }) =>
    since === undefined
      ? undefined
      : Math.max(SHORTEST_DAYS, (now.getTime() - since.getTime()) / DAY_MS),
  );
  const asked = periods.filter(
    (days, position) => days !== undefined && (recorded[position]?.statements.length ?? 0) > 0,
  ) as number[];
  const days = asked.length === 0 ? undefined : Math.max(...asked);
  const statements = await mergeStatements(
    grammar,
    recorded.map(({ statements }, position) => ({
      statements,
      scale: days === undefined ? 1 : days / (periods[position] ?? days),
    })),
  );
  return { statements, days, notes: recorded.flatMap(({ notes = [] }) => notes) };
}
