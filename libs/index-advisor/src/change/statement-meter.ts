import type { Connection } from '../connection/connection.js';
import { loadGrammar } from '../workload/grammar.js';
import { mergeStatements } from '../workload/merge-statements.js';
import { readStatStatements } from '../workload/read-statements.js';
import type { RecordedStatement, WorkloadSource } from '../workload/workload.js';

/** What was counted of statements up to now, by fingerprint. */
export type MeterReading = Readonly<Record<string, StatementCount>>;

export interface StatementCount {
  readonly calls: number;
  readonly totalMs: number;
}

/** Counts of the statements asked for, and who counted. */
export interface Measurement {
  readonly source: 'pg_stat_statements' | 'recorder' | 'none';
  readonly statements: MeterReading;
}

/**
 * Reads how often and how long statements ran: from pg_stat_statements, which sees all clients;
 * where it is not there, from what the application itself recorded.
 */
export async function measureStatements(
  connection: Connection,
  fingerprints: readonly string[],
  recorder?: WorkloadSource,
): Promise<Measurement> {
  const wanted = new Set(fingerprints);
  const { statements } = await readStatStatements(connection);
  if (statements.length > 0) {
    return { source: 'pg_stat_statements', statements: await countsOf(statements, wanted) };
  }
  if (recorder === undefined) return { source: 'none', statements: {} };
  const recorded = await recorder.read();
  return { source: 'recorder', statements: await countsOf(recorded.statements, wanted) };
}

async function countsOf(
  statements: readonly RecordedStatement[],
  wanted: ReadonlySet<string>,
): Promise<MeterReading> {
  const merged = await mergeStatements(await loadGrammar(), [{ statements, scale: 1 }]);
  return Object.fromEntries(
    merged
      .filter(({ fingerprint }) => wanted.has(fingerprint))
      .map(({ fingerprint, calls, totalMs }) => [fingerprint, { calls, totalMs }]),
  );
}
