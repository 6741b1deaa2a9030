import type { A_Expr, Node } from 'libpg-query';
import type { Catalog, Table } from '../catalog/catalog.js';
import type { Finding } from '../finding.js';
import { shownName } from '../removal/index-facts.js';
import { quoteName } from '../what-if/candidate-index.js';
import { type Grammar, loadGrammar, nodesOf } from '../workload/grammar.js';
import type { WorkloadStatement } from '../workload/workload.js';

/** Share of the workload's time from which a filter is hot. */
const HOT_SHARE = 0.05;
const MIN_ROWS = 1000;

interface Use {
  readonly table: Table;
  readonly column: string;
  readonly key: string;
  calls: number;
  totalMs: number;
}

/**
 * Values inside jsonb by which much of the workload filters. PostgreSQL keeps no statistics of them
 * and reads the whole document for each row, so an index on the expression or a column pays.
 */
export async function adviseJsonPaths(
  catalog: Catalog,
  statements: readonly WorkloadStatement[],
): Promise<readonly Finding[]> {
  const total = statements.reduce((sum, { totalMs }) => sum + totalMs, 0);
  if (total <= 0) return [];
  const grammar = await loadGrammar();
  const uses = new Map<string, Use>();
  for (const statement of statements) {
    for (const [identity, use] of usesIn(grammar, statement, catalog)) {
      const known = uses.get(identity) ?? use;
      uses.set(identity, known);
      known.calls += statement.calls;
      known.totalMs += statement.totalMs;
    }
  }
  return [...uses.values()]
    .filter(({ totalMs }) => totalMs >= HOT_SHARE * total)
    .filter(({ table }) => table.size.rows >= MIN_ROWS)
    .filter((use) => !isIndexed(use))
    .map((use) => findingOf(use, total));
}

function usesIn(
  grammar: Grammar,
  { sql, variants }: WorkloadStatement,
  catalog: Catalog,
): ReadonlyMap<string, Use> {
  const found = new Map<string, Use>();
  for (const text of [sql, ...variants]) {
    const statements = grammar.parse(text) ?? [];
    const relations = nodesOf(statements, 'RangeVar');
    for (const { column, key } of filteredPaths(statements)) {
      const table = catalog.tables.find(
        ({ schema, name, columns }) =>
          relations.some(
            ({ schemaname, relname }) =>
              relname === name && (schemaname === undefined || schemaname === schema),
          ) && columns.some((other) => other.name === column && other.baseType === 'jsonb'),
      );
      if (table === undefined) continue;
      const use = { table, column, key, calls: 0, totalMs: 0 };
      found.set(`${table.oid} ${column} ${key}`, use);
    }
  }
  return found;
}

/** `column ->> 'key'` below a WHERE. */
function filteredPaths(statements: readonly Node[]) {
  const conditions = [
    ...nodesOf(statements, 'SelectStmt'),
    ...nodesOf(statements, 'UpdateStmt'),
    ...nodesOf(statements, 'DeleteStmt'),
  ].map(({ whereClause }) => whereClause);
  return nodesOf(conditions, 'A_Expr').flatMap((expression) => pathOf(expression) ?? []);
}

function pathOf({ name, lexpr, rexpr }: A_Expr): { column: string; key: string } | undefined {
  const [operator] = name ?? [];
  const symbol = operator !== undefined && 'String' in operator ? operator.String.sval : undefined;
  if (symbol !== '->>' || lexpr === undefined || rexpr === undefined) return undefined;
  if (!('ColumnRef' in lexpr) || !('A_Const' in rexpr)) return undefined;
  const last = lexpr.ColumnRef.fields?.at(-1);
  const column = last !== undefined && 'String' in last ? last.String.sval : undefined;
  const key = rexpr.A_Const.sval?.sval;
  return column === undefined || key === undefined ? undefined : { column, key };
}

function isIndexed({ table, column, key }: Use): boolean {
  return table.indexes.some(({ keys }) =>
    keys.some(
      ({ expression, column: whole }) =>
        whole === undefined && expression.includes(column) && expression.includes(`'${key}'`),
    ),
  );
}

function findingOf({ table, column, key, calls, totalMs }: Use, total: number): Finding {
  const path = `${quoteName(column)} ->> '${key.replaceAll("'", "''")}'`;
  const on = `${quoteName(table.schema)}.${quoteName(table.name)}`;
  return {
    code: 'jsonb-path-in-hot-filter',
    object: `${shownName(table)}.${column}`,
    why:
      `Statements with ${((totalMs / total) * 100).toFixed(0)} % of the workload's time filter by ` +
      `the value at '${key}'. There are no statistics of it, and each row's document is unpacked.`,
    evidence: {
      path: `${column}->>'${key}'`,
      calls: Math.round(calls),
      totalMs: Math.round(totalMs),
      shareOfTime: Math.round((totalMs / total) * 1000) / 1000,
    },
    remedy: [`CREATE INDEX CONCURRENTLY ON ${on} ((${path}))`, `ANALYZE ${on}`],
    confidence: 'check',
  };
}
