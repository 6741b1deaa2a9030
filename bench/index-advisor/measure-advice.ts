import { Client } from 'pg';
import { newId, SystemClock } from '#libs/core';
import {
  analyseDatabase,
  CallbackChangeAudit,
  connectionOf,
  type DatabaseAnalysis,
  IndexChanger,
  openPgSession,
} from '#libs/index-advisor';

export interface AdvisorOptions {
  readonly scale: number;
  readonly rounds: number;
}

/** A database with its statements, and what the advisor ought to say about it. */
export interface AdvisorCase {
  readonly name: string;
  readonly server: string;
  readonly url: string;
  readonly rows: number;
  readonly statements: readonly CaseStatement[];
  /** Columns, by table, that an advised index has to begin with: `orders(customer_id)`. */
  readonly missing: readonly string[];
  /** Names of planted indexes that have to go. */
  readonly superfluous: readonly string[];
}

export interface CaseStatement {
  readonly label: string;
  readonly sql: string;
  /** For each call another. */
  readonly parameters: readonly (readonly unknown[])[];
}

/** What came of it. */
export interface AdvisorReport {
  readonly name: string;
  readonly server: string;
  readonly rows: number;
  readonly statements: number;
  readonly adviceMs: number;
  readonly gap: number;
  readonly found: readonly string[];
  readonly notFound: readonly string[];
  /** Advice that is not right: to remove what was not planted, or what made a statement slower. */
  readonly wrong: readonly string[];
  readonly indexes: readonly {
    readonly index: string;
    readonly 'estimated kB': number;
    readonly 'built kB': number;
    readonly 'deviation %': number;
  }[];
  readonly queries: readonly {
    readonly statement: string;
    readonly 'ms before': number;
    readonly 'ms after': number;
    readonly faster: number;
  }[];
  readonly costBefore: number;
  readonly costAfter: number;
  readonly measuredMsBefore: number;
  readonly measuredMsAfter: number;
}

const KB = 1024;
/** A statement counts as slower from this on; less is noise. */
const SLOWER = { factor: 1.5, ms: 2 };

/** Runs the statements, asks for advice, builds what is advised, and runs them again. */
export async function measureAdvice(given: AdvisorCase, rounds: number): Promise<AdvisorReport> {
  const client = new Client({ connectionString: given.url });
  await client.connect();
  try {
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    await client.query('SELECT pg_stat_statements_reset()');
    for (const { sql, parameters } of given.statements) {
      for (const values of parameters) await client.query(sql, [...values]);
    }
    await client.query('SELECT pg_stat_force_next_flush()');
    const before = await timeAll(client, given.statements, rounds);
    const startedMs = performance.now();
    const analysis = await analyseDatabase({
      connection: connectionOf(client),
      minStatisticsDays: 0,
      timeMs: 30_000,
    });
    const adviceMs = performance.now() - startedMs;
    const indexes = await build(given.url, analysis);
    await client.query('ANALYZE');
    const after = await timeAll(client, given.statements, rounds);
    return report(given, { analysis, adviceMs, indexes, before, after });
  } finally {
    await client.end();
  }
}

async function timeAll(
  client: Client,
  statements: readonly CaseStatement[],
  rounds: number,
): Promise<readonly number[]> {
  const medians: number[] = [];
  for (const { sql, parameters } of statements) {
    const times: number[] = [];
    // The first run fills the caches.
    for (let round = 0; round <= rounds; round += 1) {
      const values = parameters[round % parameters.length] ?? [];
      const startedMs = performance.now();
      await client.query(sql, [...values]);
      if (round > 0) times.push(performance.now() - startedMs);
    }
    medians.push(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0);
  }
  return medians;
}

async function build(url: string, analysis: DatabaseAnalysis) {
  const changer = new IndexChanger({
    openSession: () => openPgSession(url),
    audit: new CallbackChangeAudit(() => undefined),
    clock: new SystemClock(),
  });
  const built: AdvisorReport['indexes'][number][] = [];
  for (const { index, sizeBytes, ddl } of analysis.recommended) {
    const { bytes } = await changer.build({ id: newId(), index, expectedBytes: sizeBytes });
    built.push({
      index: ddl.replace(/^.* ON /, '').replaceAll('"', ''),
      'estimated kB': Math.round(sizeBytes / KB),
      'built kB': Math.round(bytes / KB),
      'deviation %': Math.round((sizeBytes / bytes - 1) * 1000) / 10,
    });
  }
  return built;
}

interface Measured {
  readonly analysis: DatabaseAnalysis;
  readonly adviceMs: number;
  readonly indexes: AdvisorReport['indexes'];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function report(given: AdvisorCase, measured: Measured): AdvisorReport {
  const { analysis, before, after, indexes, adviceMs } = measured;
  const removed = new Set(analysis.toRemove.map(({ object }) => object));
  const begins = new Set(
    analysis.recommended.map(({ index: { table, keys } }) => {
      const [first] = keys;
      return `${table}(${first?.column ?? first?.expression ?? ''})`;
    }),
  );
  const planted = [
    ...given.missing.map((what) => ({ what, isFound: begins.has(what) })),
    ...given.superfluous.map((what) => ({ what, isFound: removed.has(what) })),
  ];
  const queries = given.statements.map(({ label }, position) => {
    const [was = 0, is = 0] = [before[position], after[position]];
    return {
      statement: label,
      'ms before': was,
      'ms after': is,
      faster: was / Math.max(is, 0.001),
    };
  });
  return {
    name: given.name,
    server: given.server,
    rows: given.rows,
    statements: analysis.workload.statements,
    adviceMs,
    gap: analysis.estimated.gap,
    found: planted.filter(({ isFound }) => isFound).map(({ what }) => what),
    notFound: planted.filter(({ isFound }) => !isFound).map(({ what }) => what),
    wrong: [
      ...[...removed].filter((name) => !given.superfluous.includes(name)),
      ...queries
        .filter((each) => each['ms after'] > each['ms before'] * SLOWER.factor + SLOWER.ms)
        .map(({ statement }) => `slower: ${statement}`),
    ],
    indexes,
    queries,
    costBefore: analysis.estimated.costBefore,
    costAfter: analysis.estimated.costAfter,
    measuredMsBefore: ofAllCalls(before, given),
    measuredMsAfter: ofAllCalls(after, given),
  };
}

function ofAllCalls(medians: readonly number[], { statements }: AdvisorCase): number {
  return statements.reduce(
    (sum, { parameters }, position) => sum + parameters.length * (medians[position] ?? 0),
    0,
  );
}
