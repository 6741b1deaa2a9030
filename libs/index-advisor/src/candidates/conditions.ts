import type { A_Expr, SubLink } from 'libpg-query';
import type { SqlNode } from '../workload/grammar.js';
import { isCategory, isBoolean } from './column-facts.js';
import { keyOf, operatorName, termOf, type Term } from './expression.js';
import { patternKinds } from './patterns.js';
import type { Scope } from './scope.js';
import type { Condition, ConditionKind, KeyTerm, TableUse } from './table-use.js';

/** Takes a condition on a row of a table. */
export type ConditionSink = (use: TableUse, condition: Condition) => void;

/** What conditions are read with. */
export interface ConditionReader {
  readonly scope: Scope;
  readonly sink: ConditionSink;
  /** Values of `$n` in one call, when known. */
  readonly parameters: readonly unknown[] | undefined;
}

const RANGES: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
const CONTAINMENTS = new Set(['@>', '<@', '?', '?|', '?&', '@?', '@@', '&&', '<<', '>>', '-|-']);
const MIRRORED: Readonly<Record<string, string>> = {
  '@>': '<@',
  '<@': '@>',
  '<<': '>>',
  '>>': '<<',
};

/** Reads what a WHERE or ON clause demands of the rows of each table. */
export function readConditions(node: SqlNode | undefined, reader: ConditionReader): void {
  if (node === undefined) return;
  const { scope, sink } = reader;
  if ('BoolExpr' in node) {
    const { boolop, args = [] } = node.BoolExpr;
    if (boolop === 'AND_EXPR') for (const arg of args) readConditions(arg, reader);
    if (boolop === 'OR_EXPR') readAlternatives(args, reader);
    if (boolop === 'NOT_EXPR') readFlag(args[0], false, reader);
    return;
  }
  if ('A_Expr' in node) return readOperator(node.A_Expr, reader);
  if ('SubLink' in node) return readMembership(node.SubLink, reader);
  if ('NullTest' in node) {
    const found = keyOf(termOf(node.NullTest.arg, scope));
    if (found === undefined) return;
    const isNull = node.NullTest.nulltesttype === 'IS_NULL';
    const constant = `${found.key.sql} IS ${isNull ? '' : 'NOT '}NULL`;
    sink(found.use, { kind: isNull ? 'null' : 'constant', key: found.key, constant });
    return;
  }
  readFlag(node, true, reader);
}

/** A column that is a condition by itself. */
function readFlag(node: SqlNode | undefined, value: boolean, reader: ConditionReader): void {
  const found = keyOf(termOf(node, reader.scope));
  if (found === undefined || !isBoolean(found.use.table, found.key)) return;
  const constant = value ? found.key.sql : `NOT ${found.key.sql}`;
  reader.sink(found.use, { kind: 'equality', key: found.key, constant });
}

/** Each branch of an OR may be answered by an index of its own. */
function readAlternatives(args: readonly SqlNode[], reader: ConditionReader): void {
  for (const arg of args) {
    const branch = new Map<TableUse, Condition[]>();
    readConditions(arg, {
      ...reader,
      sink: (use, condition) => {
        const conditions = branch.get(use);
        if (conditions === undefined) branch.set(use, [condition]);
        else conditions.push(condition);
      },
    });
    for (const [use, conditions] of branch) use.alternatives.push(conditions);
  }
}

function readOperator(expression: A_Expr, reader: ConditionReader): void {
  const { kind, name, lexpr, rexpr } = expression;
  const operator = operatorName(name);
  if (operator === undefined) return;
  switch (kind) {
    case 'AEXPR_OP': {
      readComparison(operator, lexpr, rexpr, reader);
      return;
    }
    case 'AEXPR_IN':
    case 'AEXPR_OP_ANY': {
      if (operator === '=') readList(lexpr, rexpr, reader);
      return;
    }
    case 'AEXPR_BETWEEN':
    case 'AEXPR_BETWEEN_SYM': {
      const items = rexpr !== undefined && 'List' in rexpr ? (rexpr.List.items ?? []) : [];
      for (const item of items) readComparison('>=', lexpr, item, reader);
      return;
    }
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE': {
      readPattern(operator, lexpr, rexpr, reader);
      return;
    }
    default:
  }
}

function readComparison(
  operator: string,
  lexpr: SqlNode | undefined,
  rexpr: SqlNode | undefined,
  reader: ConditionReader,
): void {
  const rows = rowsOf(lexpr, rexpr);
  if (rows !== undefined) {
    // Of (a, b) > (x, y) the first columns decide where reading starts.
    const pairs = operator === '=' ? rows : rows.slice(0, 1);
    for (const [left, right] of pairs) readComparison(operator, left, right, reader);
    return;
  }
  if (/^~\*?$/.test(operator)) return readPattern(operator, lexpr, rexpr, reader);
  const left = termOf(lexpr, reader.scope);
  const right = termOf(rexpr, reader.scope);
  compare(operator, left, right, reader.sink);
  const mirrored = RANGES[operator] ?? MIRRORED[operator] ?? operator;
  // `?` and the like have a fixed side for what is searched.
  if (!operator.startsWith('?') && operator !== '@?') compare(mirrored, right, left, reader.sink);
}

function compare(operator: string, left: Term, right: Term, sink: ConditionSink): void {
  const found = keyOf(left);
  if (found === undefined || right.uses.has(found.use)) return;
  const { use, key } = found;
  const [other] = right.uses;
  if (operator === '=' && other !== undefined) return sink(use, { kind: 'join', key, other });
  const kind = kindOf(operator);
  if (kind === undefined) return;
  const constant = right.isLiteral ? constantOf(operator, use, key, right) : undefined;
  sink(use, {
    kind,
    key,
    ...(kind === 'containment' ? { operator } : {}),
    ...(constant === undefined ? {} : { constant }),
  });
}

function kindOf(operator: string): ConditionKind | undefined {
  if (operator === '=') return 'equality';
  if (operator in RANGES) return 'range';
  if (CONTAINMENTS.has(operator)) return 'containment';
  return operator === '<>' ? 'constant' : undefined;
}

/** A condition that is part of the program: a category, or a comparison with zero. */
function constantOf(
  operator: string,
  use: TableUse,
  key: KeyTerm,
  value: Term,
): string | undefined {
  const isPart =
    operator in RANGES
      ? value.sql === '0'
      : ['=', '<>'].includes(operator) && isCategory(use.table, key);
  return isPart && value.sql !== undefined ? `${key.sql} ${operator} ${value.sql}` : undefined;
}

function readList(
  lexpr: SqlNode | undefined,
  rexpr: SqlNode | undefined,
  { scope, sink }: ConditionReader,
): void {
  const found = keyOf(termOf(lexpr, scope));
  if (found === undefined) return;
  const { use, key } = found;
  const items = rexpr !== undefined && 'List' in rexpr ? (rexpr.List.items ?? []) : [rexpr];
  const values = items.map((item) => termOf(item, scope));
  const other = values.flatMap(({ uses }) => [...uses])[0];
  if (other === use) return;
  if (other !== undefined) return sink(use, { kind: 'join', key, other });
  const isConstant = values.every(({ isLiteral }) => isLiteral) && isCategory(use.table, key);
  const texts = values.map(({ sql }) => sql ?? '').toSorted();
  sink(use, {
    kind: 'list',
    key,
    ...(isConstant ? { constant: `${key.sql} IN (${texts.join(', ')})` } : {}),
  });
}

function readPattern(
  operator: string,
  lexpr: SqlNode | undefined,
  rexpr: SqlNode | undefined,
  { scope, sink, parameters }: ConditionReader,
): void {
  const found = keyOf(termOf(lexpr, scope));
  if (found === undefined) return;
  for (const kind of patternKinds(operator, rexpr, parameters)) {
    sink(found.use, { kind, key: found.key });
  }
}

/** `x IN (SELECT y …)` joins x and y. */
function readMembership(link: SubLink, { scope, sink }: ConditionReader): void {
  if (link.subLinkType !== 'ANY_SUBLINK') return;
  const found = keyOf(termOf(link.testexpr, scope));
  if (found !== undefined) sink(found.use, { kind: 'join', key: found.key });
}

function rowsOf(
  left: SqlNode | undefined,
  right: SqlNode | undefined,
): readonly (readonly [SqlNode, SqlNode | undefined])[] | undefined {
  if (left === undefined || !('RowExpr' in left)) return undefined;
  const values = right !== undefined && 'RowExpr' in right ? (right.RowExpr.args ?? []) : [];
  return (left.RowExpr.args ?? []).map((arg, position) => [arg, values[position]]);
}
