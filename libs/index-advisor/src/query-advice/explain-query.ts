import type { Connection } from '../connection/connection.js';
import { loadGrammar, nodesOf } from '../workload/grammar.js';
import { measuredPlan, type MeasuredNode, type RawNode } from './measured-plan.js';

/** A plan, and whether it was executed. */
export interface ExplainedQuery {
  readonly kind: 'executed' | 'estimated' | 'refused';
  readonly root: MeasuredNode | undefined;
}

interface ExplainedRow {
  readonly 'QUERY PLAN': readonly { readonly Plan: RawNode }[];
}

/**
 * Explains a query. It is executed only if it is a SELECT that locks and writes nothing and whose
 * parameters are known: read-only, within the time limit, and without its rows being sent.
 */
export async function explainQuery(
  connection: Connection,
  sql: string,
  parameters: readonly unknown[] | undefined,
  timeoutMs = 5000,
): Promise<ExplainedQuery> {
  const kind = await kindOf(sql);
  if (kind === undefined) return { kind: 'refused', root: undefined };
  if (parameters !== undefined && kind === 'reads') {
    const plan = await explain(
      connection,
      'ANALYZE, VERBOSE, FORMAT JSON',
      sql,
      parameters,
      timeoutMs,
    );
    if (plan !== undefined) return { kind: 'executed', root: plan };
  }
  const how =
    parameters === undefined ? 'GENERIC_PLAN, VERBOSE, FORMAT JSON' : 'VERBOSE, FORMAT JSON';
  const root = await explain(connection, how, sql, parameters ?? [], timeoutMs);
  return { kind: root === undefined ? 'refused' : 'estimated', root };
}

/** A text that is not exactly one statement with a plan is not handed to the server at all. */
async function kindOf(sql: string): Promise<'reads' | 'writes' | undefined> {
  const grammar = await loadGrammar();
  const statements = grammar.parse(sql) ?? [];
  const [statement, another] = statements;
  if (statement === undefined || another !== undefined) return undefined;
  const writes = ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'] as const;
  if ('SelectStmt' in statement) {
    const { intoClause, lockingClause } = statement.SelectStmt;
    const isChanging = writes.some((write) => nodesOf(statement, write).length > 0);
    return intoClause !== undefined || lockingClause !== undefined || isChanging
      ? 'writes'
      : 'reads';
  }
  return writes.some((write) => write in statement) ? 'writes' : undefined;
}

async function explain(
  connection: Connection,
  how: string,
  sql: string,
  parameters: readonly unknown[],
  timeoutMs: number,
): Promise<MeasuredNode | undefined> {
  await connection.query('BEGIN READ ONLY');
  try {
    await connection.query(`SELECT set_config('statement_timeout', $1, true)`, [String(timeoutMs)]);
    const [row] = await connection.query<ExplainedRow>(`EXPLAIN (${how}) ${sql}`, parameters);
    const [explained] = row?.['QUERY PLAN'] ?? [];
    return explained === undefined ? undefined : measuredPlan(explained.Plan);
  } catch {
    // Too slow to execute, about a table that is gone, or more than this server's EXPLAIN can do:
    // what is known of the query is then less, which its kind tells.
    return undefined;
  } finally {
    await connection.query('ROLLBACK');
  }
}
