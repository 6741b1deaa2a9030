import type { Catalog, Table } from '../catalog/catalog.js';
import { type CandidateIndex, candidateClause, quoteName } from './candidate-index.js';
import { relationKey, resizeIndex, type RelationPaths } from './copied-relations.js';
import { expressionFacts } from './expression-facts.js';
import type { PlanningSession } from './planning-session.js';
import type { Step } from './planning-worker.js';
import { tableName } from './schema-script.js';
import { bytesOfPages } from './size/other-sizes.js';
import {
  type ExpressionFacts,
  type IndexFacts,
  indexSize,
  type IndexSize,
} from './size/index-size.js';
import { attributeStep, relationStep } from './statistics-script.js';

/** What is known of a candidate on one table, which may be one of many partitions. */
export interface PlannedIndex {
  readonly table: Table;
  readonly facts: IndexFacts;
  readonly size: IndexSize;
}

/** A candidate that can be planned with. */
export interface KnownCandidate {
  readonly candidate: CandidateIndex;
  /** The index in the copy. */
  readonly name: string;
  readonly parts: readonly PlannedIndex[];
  readonly bytes: number;
}

/** An index of a candidate in the copy: of a partitioned table one for each partition too. */
export interface CopiedIndex {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly tableSchema: string;
  readonly tableName: string;
  readonly hasFile: boolean;
}

/** The tables that hold the rows of a table: its partitions, or itself. */
export function leavesOf({ tables }: Pick<Catalog, 'tables'>, table: Table): readonly Table[] {
  if (table.kind !== 'partitioned') return [table];
  return tables
    .filter(({ partitioning }) => partitioning.parents.includes(table.oid))
    .flatMap((partition) => leavesOf({ tables }, partition));
}

/** Reckons the size of a candidate; the copy tells the rows of a predicate and expressions. */
export async function planCandidate(
  session: PlanningSession,
  catalog: Catalog,
  candidate: CandidateIndex,
  name: string,
): Promise<KnownCandidate | undefined> {
  const table = catalog.tables.find(
    (other) => other.schema === candidate.schema && other.name === candidate.table,
  );
  if (table === undefined) return undefined;
  const parts: PlannedIndex[] = [];
  for (const leaf of leavesOf(catalog, table)) {
    const facts = await factsOf(session, leaf, candidate);
    parts.push({ table: leaf, facts, size: indexSize(candidate, leaf, facts) });
  }
  const pages = parts.reduce((sum, { size }) => sum + size.pages, 0);
  return { candidate, name, parts, bytes: bytesOfPages(pages) };
}

/** The statement that creates a candidate in the copy. */
export function createCandidate({ candidate, name }: KnownCandidate): string {
  return `CREATE INDEX ${quoteName(name)} ON ${candidateClause(candidate)}`;
}

/** The indexes that a candidate became, partitions' after their parent's. */
export function copiesOf(
  session: PlanningSession,
  { name, candidate }: KnownCandidate,
): Promise<readonly CopiedIndex[]> {
  return session.query<CopiedIndex>(
    `WITH RECURSIVE copies AS (
       SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1::text AND c.relname = $2::text
       UNION ALL
       SELECT h.inhrelid FROM pg_inherits h JOIN copies ON h.inhparent = copies.oid
     )
     SELECT i.oid::bigint::float8 AS oid, n.nspname::text AS schema, i.relname::text AS name,
       tn.nspname::text AS "tableSchema", t.relname::text AS "tableName", i.relkind = 'i' AS "hasFile"
     FROM copies JOIN pg_class i ON i.oid = copies.oid
       JOIN pg_namespace n ON n.oid = i.relnamespace
       JOIN pg_index x ON x.indexrelid = i.oid
       JOIN pg_class t ON t.oid = x.indrelid
       JOIN pg_namespace tn ON tn.oid = t.relnamespace`,
    [candidate.schema, name],
  );
}

/** The statistics of a candidate's indexes. */
export function candidateStatistics(
  known: KnownCandidate,
  copies: readonly CopiedIndex[],
): readonly Step[] {
  return partsOf(known, copies).flatMap(({ copy, part }) =>
    [relationStep(copy, { pages: part.size.pages, rows: part.size.rows })].concat(
      expressionSteps(known, copy, part),
    ),
  );
}

function expressionSteps(
  { candidate }: KnownCandidate,
  { schema, name }: CopiedIndex,
  { facts }: PlannedIndex,
): readonly Step[] {
  return candidate.keys.flatMap(({ expression = '' }, position) => {
    const statistics = facts.expressions?.get(expression)?.statistics;
    const target = { schema, name, position: position + 1 };
    return statistics === undefined ? [] : [attributeStep(target, statistics)];
  });
}

/** Gives a candidate's indexes their size. */
export async function resizeCandidate(
  known: KnownCandidate,
  copies: readonly CopiedIndex[],
  paths: RelationPaths,
): Promise<void> {
  for (const { copy, part } of partsOf(known, copies)) {
    const path = paths.get(relationKey(copy));
    if (path === undefined) continue;
    await resizeIndex(path, known.candidate.method, {
      ...part.size,
      tablePages: part.table.size.pages,
    });
  }
}

function partsOf({ parts }: KnownCandidate, copies: readonly CopiedIndex[]) {
  return copies.flatMap((copy) => {
    const part = parts.find(
      ({ table }) => table.schema === copy.tableSchema && table.name === copy.tableName,
    );
    return part === undefined || !copy.hasFile ? [] : [{ copy, part }];
  });
}

async function factsOf(
  session: PlanningSession,
  table: Table,
  { keys, where }: CandidateIndex,
): Promise<IndexFacts> {
  const expressions = new Map<string, ExpressionFacts>();
  for (const { expression } of keys) {
    if (expression === undefined) continue;
    const known = await expressionFacts(session, table, expression);
    if (known !== undefined) expressions.set(expression, known);
  }
  const rows = where === undefined ? undefined : await rowsOf(session, table, where);
  return { expressions, ...(rows === undefined ? {} : { rows }) };
}

/** How many rows fit a predicate, in the planner's own estimate. */
async function rowsOf(
  session: PlanningSession,
  table: Table,
  where: string,
): Promise<number | undefined> {
  try {
    const [row] = await session.query<{ 'QUERY PLAN': { Plan: { 'Plan Rows': number } }[] }>(
      `EXPLAIN (FORMAT JSON) SELECT FROM ONLY ${tableName(table)} WHERE ${where}`,
    );
    return row?.['QUERY PLAN'][0]?.Plan['Plan Rows'];
  } catch {
    // PostgreSQL will refuse such an index, and say why.
    return undefined;
  }
}
