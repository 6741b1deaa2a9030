import type { A_Const, FuncCall, TypeName } from 'libpg-query';
import { quoteName } from '../what-if/candidate-index.js';
import { nodesOf, type SqlNode } from '../workload/grammar.js';
import type { Scope } from './scope.js';
import type { KeyTerm, TableUse } from './table-use.js';

/** What an expression of a statement is made of. */
export interface Term {
  /** As SQL over the columns of the one table it is about; undefined when it cannot be said. */
  readonly sql: string | undefined;
  readonly uses: ReadonlySet<TableUse>;
  readonly column: string | undefined;
  readonly columns: readonly string[];
  /** Whether it is a literal of the text. */
  readonly isLiteral: boolean;
}

/** Literals within expressions that name something, such as a key of JSON, and are no data. */
const NAME_LIKE = /^[\p{L}_][\p{L}\p{N}_ .:/-]{0,62}$/u;
const AGGREGATES = new Set(
  (
    'count sum min max avg array_agg string_agg json_agg jsonb_agg json_object_agg ' +
    'jsonb_object_agg bool_and bool_or every bit_and bit_or stddev variance mode ' +
    'percentile_cont percentile_disc row_number rank'
  ).split(' '),
);

/** Says what an expression is made of, with names looked up through subqueries and views. */
export function termOf(node: SqlNode | undefined, scope: Scope): Term {
  if (node === undefined) return unknown([]);
  if ('ColumnRef' in node) return columnTerm(node, scope);
  if ('A_Const' in node) return literal(node.A_Const);
  if ('TypeCast' in node) {
    const { arg, typeName } = node.TypeCast;
    const inner = termOf(arg, scope);
    const type = typeText(typeName);
    return {
      ...composed([inner], type && ((sql) => `(${sql})::${type}`)),
      isLiteral: inner.isLiteral,
    };
  }
  if ('A_Expr' in node) {
    const { kind, name, lexpr, rexpr } = node.A_Expr;
    const operator = operatorName(name);
    const sides =
      lexpr === undefined ? [termOf(rexpr, scope)] : [termOf(lexpr, scope), termOf(rexpr, scope)];
    if (kind !== 'AEXPR_OP' || operator === undefined) return unknown(sides);
    return composed(sides, (...parts) =>
      parts.length === 1 ? `(${operator} ${parts[0]})` : `(${parts.join(` ${operator} `)})`,
    );
  }
  if ('FuncCall' in node) return callTerm(node.FuncCall, scope);
  if ('CoalesceExpr' in node) {
    const args = (node.CoalesceExpr.args ?? []).map((arg) => termOf(arg, scope));
    return composed(args, (...parts) => `COALESCE(${parts.join(', ')})`);
  }
  return unknown(nodesOf(node, 'ColumnRef').map((ColumnRef) => columnTerm({ ColumnRef }, scope)));
}

/** A term as a key of an index; undefined when it is not about just one table. */
export function keyOf(term: Term): { readonly use: TableUse; readonly key: KeyTerm } | undefined {
  const [use, another] = term.uses;
  const { sql, column, columns } = term;
  if (use === undefined || another !== undefined || sql === undefined) return undefined;
  return { use, key: { sql, column, columns } };
}

/** The name of an operator that needs no schema. */
export function operatorName(name: readonly SqlNode[] | undefined): string | undefined {
  const parts = stringsOf(name);
  return parts.length === 1 || parts[0] === 'pg_catalog' ? parts.at(-1) : undefined;
}

/** Texts of a list of names. */
export function stringsOf(nodes: readonly SqlNode[] = []): readonly string[] {
  return nodes.map((node) => ('String' in node ? (node.String.sval ?? '') : '*'));
}

function columnTerm(node: Extract<SqlNode, { ColumnRef: unknown }>, scope: Scope): Term {
  const resolved = scope.resolve(stringsOf(node.ColumnRef.fields));
  if (resolved === undefined) return unknown([]);
  if ('node' in resolved) return termOf(resolved.node, resolved.scope);
  const { use, column } = resolved;
  return {
    sql: quoteName(column),
    uses: new Set([use]),
    column,
    columns: [column],
    isLiteral: false,
  };
}

function callTerm(call: FuncCall, scope: Scope): Term {
  const args = (call.args ?? []).map((arg) => termOf(arg, scope));
  const names = stringsOf(call.funcname);
  const isPlain =
    call.over === undefined &&
    call.agg_star !== true &&
    call.agg_filter === undefined &&
    call.agg_order === undefined &&
    call.func_variadic !== true &&
    !AGGREGATES.has(names.at(-1) ?? '');
  const name = names.map((part) => quoteName(part)).join('.');
  return composed(args, isPlain ? (...parts) => `${name}(${parts.join(', ')})` : undefined);
}

function composed(
  parts: readonly Term[],
  write: ((...sql: readonly string[]) => string) | undefined | '',
): Term {
  const all = unknown(parts);
  const isNamed = parts.every(
    ({ sql, isLiteral }) => sql !== undefined && (!isLiteral || isNameOrNumber(sql)),
  );
  // Several literals are a value that nobody wants to index.
  if (!write || (!isNamed && all.uses.size > 0)) return all;
  const texts = parts.map(({ sql }) => sql).filter((sql) => sql !== undefined);
  return texts.length === parts.length ? { ...all, sql: write(...texts) } : all;
}

/** A term of which only the tables are known. */
function unknown(parts: readonly Term[]): Term {
  return {
    sql: undefined,
    uses: new Set(parts.flatMap(({ uses }) => [...uses])),
    column: undefined,
    columns: [...new Set(parts.flatMap(({ columns }) => columns))],
    isLiteral: false,
  };
}

function literal(value: A_Const): Term {
  return { ...unknown([]), sql: literalText(value), isLiteral: true };
}

function literalText({ isnull, ival, fval, boolval, sval }: A_Const): string | undefined {
  if (isnull === true) return 'NULL';
  if (ival !== undefined) return String(ival.ival ?? 0);
  if (fval !== undefined) return fval.fval;
  if (boolval !== undefined) return boolval.boolval === true ? 'true' : 'false';
  if (sval === undefined) return undefined;
  return `'${(sval.sval ?? '').replaceAll("'", "''")}'`;
}

function isNameOrNumber(sql: string): boolean {
  return !sql.startsWith("'") || sql === "''" || NAME_LIKE.test(sql.slice(1, -1));
}

function typeText(type: TypeName | undefined): string | undefined {
  const names = stringsOf(type?.names);
  const modifiers = type?.typmods ?? [];
  // The fields of an interval stand among the modifiers as bits.
  if (names.length === 0 || (names.at(-1) === 'interval' && modifiers.length > 0)) return undefined;
  const numbers = modifiers.map((node) =>
    'A_Const' in node ? literalText(node.A_Const) : undefined,
  );
  if (numbers.includes(undefined)) return undefined;
  const name = names.map((part) => quoteName(part)).join('.');
  const suffix = numbers.length === 0 ? '' : `(${numbers.join(', ')})`;
  return `${name}${suffix}${'[]'.repeat(type?.arrayBounds?.length ?? 0)}`;
}
