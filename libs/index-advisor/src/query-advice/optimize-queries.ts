import type { Catalog } from '../catalog/catalog.js';
import { readCatalog } from '../catalog/read-catalog.js';
import type { Connection } from '../connection/connection.js';
import { loadGrammar } from '../workload/grammar.js';
import type { WorkloadStatement } from '../workload/workload.js';
import { type ExplainedQuery, explainQuery } from './explain-query.js';
import { findInPlan, type PlanFinding } from './plan-findings.js';
import { type ProvenRewrite, proveRewrite, timeQuery, type Timing } from './prove-rewrite.js';
import { proposeRewrites } from './rewrites.js';

export interface OptimizeOptions {
  readonly connection: Connection;
  /** The costliest first. */
  readonly statements: readonly Pick<
    WorkloadStatement,
    'fingerprint' | 'sql' | 'parameters' | 'calls' | 'totalMs'
  >[];
  /** Whether tables with stale statistics are analysed. */
  readonly apply: boolean;
  /** Runs of each text; default 7. */
  readonly rounds?: number;
  /** Of one run; default 5 s. */
  readonly timeoutMs?: number;
}

/** What was seen of a query, and what could be done about it. */
export interface OptimizedQuery {
  readonly fingerprint: string;
  /** Without literals. */
  readonly query: string;
  readonly calls: number;
  readonly totalMs: number;
  /** `executed`: with figures of a run; `estimated`: the plan alone; `refused`: it has no plan. */
  readonly plan: ExplainedQuery['kind'];
  readonly findings: readonly PlanFinding[];
  readonly rewrites: readonly (Omit<ProvenRewrite, 'sql'> & { readonly sql: string })[];
}

/** Something that was done, with the figures before and after. */
export interface AppliedOptimization {
  readonly kind: 'analyze';
  readonly object: string;
  readonly statement: string;
  readonly reason: string;
  readonly effects: readonly Effect[];
}

/** What it did to one query. */
export interface Effect {
  readonly fingerprint: string;
  readonly calls: number;
  /** Measured in runs; null where the query could not be run. */
  readonly before: Timing | null;
  readonly after: Timing | null;
}

export interface OptimizationReport {
  readonly queriesAnalyzed: number;
  readonly optimizationsApplied: readonly AppliedOptimization[];
  readonly performanceImprovement: {
    /** Share of the time of the queries that were measured before and after; null without any. */
    readonly measured: number | null;
    readonly queriesMeasured: number;
    /** Share of the time of all queries that accepted rewrites would save, as they were timed. */
    readonly byRewrites: number;
  };
  readonly queries: readonly OptimizedQuery[];
}

/**
 * Explains queries, names what makes them slow, tries rewrites, and refreshes stale statistics.
 * Queries run only if they are a single SELECT whose parameters are known, read-only and within a
 * time limit. A rewrite is only told: it is for the application to take it over.
 */
export async function optimizeQueries(options: OptimizeOptions): Promise<OptimizationReport> {
  const { connection, statements } = options;
  const catalog = await readCatalog(connection);
  const queries: OptimizedQuery[] = [];
  for (const statement of statements) queries.push(await look(statement, catalog, options));
  const applied = options.apply ? await refreshStatistics(queries, options) : [];
  return {
    queriesAnalyzed: queries.length,
    optimizationsApplied: applied,
    performanceImprovement: { ...improvementOf(applied), byRewrites: byRewrites(queries) },
    queries,
  };
}

type GivenStatement = OptimizeOptions['statements'][number];

async function look(
  statement: GivenStatement,
  catalog: Catalog,
  { connection, rounds, timeoutMs }: OptimizeOptions,
): Promise<OptimizedQuery> {
  const { fingerprint, sql, parameters, calls, totalMs } = statement;
  const grammar = await loadGrammar();
  const explained = await explainQuery(connection, sql, parameters, timeoutMs);
  const rewrites: ProvenRewrite[] = [];
  for (const rewrite of await proposeRewrites(sql)) {
    const samples = parameters === undefined ? [] : [parameters];
    const proof = {
      samples,
      ...(rounds === undefined ? {} : { rounds }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    const proven = await proveRewrite(connection, sql, rewrite, proof);
    rewrites.push({ ...proven, sql: grammar.normalize(proven.sql) ?? '' });
  }
  return {
    fingerprint,
    query: grammar.normalize(sql) ?? '',
    calls,
    totalMs,
    plan: explained.kind,
    findings: explained.root === undefined ? [] : findInPlan(explained.root, catalog),
    rewrites,
  };
}

async function refreshStatistics(
  queries: readonly OptimizedQuery[],
  { connection, statements, rounds, timeoutMs }: OptimizeOptions,
): Promise<readonly AppliedOptimization[]> {
  const stale = new Map<string, PlanFinding>();
  for (const finding of queries.flatMap(({ findings }) => findings)) {
    if (finding.code === 'stale-statistics' && finding.remedy !== null) {
      stale.set(finding.remedy, finding);
    }
  }
  const applied: AppliedOptimization[] = [];
  for (const [statement, { why }] of stale) {
    const concerned = queries.filter(({ findings }) =>
      findings.some(({ remedy }) => remedy === statement),
    );
    const time = (query: OptimizedQuery) => {
      const given = statements.find(({ fingerprint }) => fingerprint === query.fingerprint);
      return given?.parameters === undefined
        ? Promise.resolve(null)
        : timeQuery(connection, given.sql, given.parameters, rounds, timeoutMs);
    };
    const before = [];
    for (const query of concerned) before.push(await time(query));
    await connection.query(statement);
    const effects: Effect[] = [];
    for (const [position, query] of concerned.entries()) {
      const { fingerprint, calls } = query;
      const after = await time(query);
      effects.push({ fingerprint, calls, before: before[position] ?? null, after });
    }
    const object = statement.replace('ANALYZE ', '').replaceAll('"', '');
    applied.push({ kind: 'analyze', object, statement, reason: why, effects });
  }
  return applied;
}

function improvementOf(applied: readonly AppliedOptimization[]) {
  const measured = applied
    .flatMap(({ effects }) => effects)
    .flatMap(({ before, after, calls }) =>
      before === null || after === null
        ? []
        : [{ before: before.medianMs * calls, after: after.medianMs * calls }],
    );
  const spent = measured.reduce((sum, { before }) => sum + before, 0);
  const now = measured.reduce((sum, { after }) => sum + after, 0);
  return { measured: spent > 0 ? 1 - now / spent : null, queriesMeasured: measured.length };
}

function byRewrites(queries: readonly OptimizedQuery[]): number {
  const total = queries.reduce((sum, { totalMs }) => sum + totalMs, 0);
  const saved = queries.reduce((sum, { totalMs, rewrites }) => {
    const gains = rewrites.flatMap(({ isAccepted, gain }) => (isAccepted ? [gain ?? 0] : []));
    return sum + totalMs * Math.max(0, ...gains);
  }, 0);
  return total > 0 ? saved / total : 0;
}
