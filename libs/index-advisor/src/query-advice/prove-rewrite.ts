import { messageOf } from '#libs/core';
import type { Connection } from '../connection/connection.js';
import type { Rewrite } from './rewrites.js';

export interface ProofOptions {
  /** Lists of parameters to try; at least one. */
  readonly samples: readonly (readonly unknown[])[];
  /** Runs of each text for each sample; default 7. */
  readonly rounds?: number;
  /** Of one run; default 5 s. */
  readonly timeoutMs?: number;
  /** Rows that are compared at most; default 20,000. */
  readonly maxRows?: number;
}

/** Times of one text over all runs. */
export interface Timing {
  readonly runs: number;
  readonly medianMs: number;
  /** Between which half of the runs lie. */
  readonly quartilesMs: readonly [number, number];
}

/** Whether a rewrite gives the same rows faster, and how that was seen. */
export interface ProvenRewrite extends Rewrite {
  readonly isAccepted: boolean;
  /** Why it is rejected; null when it is not. */
  readonly rejectedBecause: string | null;
  readonly samples: number;
  readonly before: Timing | null;
  readonly after: Timing | null;
  /** Share of the median time that is saved; as measured, negative when it is slower. */
  readonly gain: number | null;
}

/** Smaller gains cannot be told from noise. */
const MIN_GAIN = 0.1;

/**
 * Runs a statement and its rewrite in turns, read-only and in one snapshot, and compares rows and
 * times. A rewrite is accepted only if all rows are equal for all samples, and half of its runs are
 * faster than half of the others by a clear margin.
 */
export async function proveRewrite(
  connection: Connection,
  sql: string,
  rewrite: Rewrite,
  options: ProofOptions,
): Promise<ProvenRewrite> {
  const { samples, rounds = 7, timeoutMs = 5000, maxRows = 20_000 } = options;
  const rejected = (
    rejectedBecause: string,
    figures: Partial<ProvenRewrite> = {},
  ): ProvenRewrite => ({
    ...rewrite,
    isAccepted: false,
    rejectedBecause,
    samples: samples.length,
    before: null,
    after: null,
    gain: null,
    ...figures,
  });
  if (samples.length === 0) return rejected('no parameters are known to try it with');
  await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await connection.query(`SELECT set_config('statement_timeout', $1, true)`, [String(timeoutMs)]);
    for (const sample of samples) {
      const fault = await difference(connection, sql, rewrite.sql, sample, maxRows);
      if (fault !== undefined) return rejected(fault);
    }
    const [before, after] = await timings(connection, [sql, rewrite.sql], samples, rounds);
    if (before === undefined || after === undefined) return rejected('it was not timed');
    const gain = before.medianMs > 0 ? 1 - after.medianMs / before.medianMs : 0;
    const isClear = after.quartilesMs[1] < before.quartilesMs[0] && gain >= MIN_GAIN;
    if (!isClear) return rejected('it is not clearly faster', { before, after, gain });
    return {
      ...rewrite,
      isAccepted: true,
      rejectedBecause: null,
      samples: samples.length,
      before,
      after,
      gain,
    };
  } catch (error) {
    return rejected(`it could not be run: ${messageOf(error)}`);
  } finally {
    await connection.query('ROLLBACK');
  }
}

/** Times a query, read-only; null when it cannot be run, as one that is not a SELECT. */
export async function timeQuery(
  connection: Connection,
  sql: string,
  parameters: readonly unknown[],
  rounds = 7,
  timeoutMs = 5000,
): Promise<Timing | null> {
  await connection.query('BEGIN READ ONLY');
  try {
    await connection.query(`SELECT set_config('statement_timeout', $1, true)`, [String(timeoutMs)]);
    const [timing] = await timings(connection, [sql], [parameters], rounds);
    return timing ?? null;
  } catch {
    // It writes, or is too slow: then nothing is measured, and nothing claimed.
    return null;
  } finally {
    await connection.query('ROLLBACK');
  }
}

async function difference(
  connection: Connection,
  one: string,
  other: string,
  sample: readonly unknown[],
  maxRows: number,
): Promise<string | undefined> {
  const rows = async (sql: string) => {
    const text = `SELECT row_to_json(compared)::text AS row FROM (${sql}) AS compared LIMIT ${maxRows + 1}`;
    return (await connection.query<{ row: string }>(text, sample)).map(({ row }) => row);
  };
  const [first, second] = [await rows(one), await rows(other)];
  if (first.length > maxRows) return `more than ${maxRows} rows cannot be compared`;
  // Without an order at the outside rows come as they like.
  const isOrdered = /\border\s+by\b[^()]*$/i.test(one);
  const [a, b] = isOrdered ? [first, second] : [first.toSorted(), second.toSorted()];
  const isSame = a.length === b.length && a.every((row, position) => row === b[position]);
  return isSame ? undefined : 'it does not give the same rows';
}

async function timings(
  connection: Connection,
  texts: readonly string[],
  samples: readonly (readonly unknown[])[],
  rounds: number,
): Promise<readonly Timing[]> {
  const times: number[][] = texts.map(() => []);
  // In turns, so that what else the machine does hits both alike.
  for (let round = 0; round < rounds; round += 1) {
    for (const sample of samples) {
      for (const [position, text] of texts.entries()) {
        const [row] = await connection.query<ExplainedRow>(
          `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}`,
          sample,
        );
        const [explained] = row?.['QUERY PLAN'] ?? [];
        times[position]?.push(explained?.['Execution Time'] ?? 0);
      }
    }
  }
  return times.map((each) => timingOf(each));
}

interface ExplainedRow {
  readonly 'QUERY PLAN': readonly { readonly 'Execution Time': number }[];
}

function timingOf(times: readonly number[]): Timing {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(
      (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 1000,
    ) / 1000;
  return { runs: sorted.length, medianMs: at(0.5), quartilesMs: [at(0.25), at(0.75)] };
}
