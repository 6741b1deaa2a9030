import type { A_Expr, Node, SubLink } from 'libpg-query';
import { type Grammar, loadGrammar, nodesOf } from '../workload/grammar.js';

/** Another text for a statement, which has to be proven before anybody uses it. */
export interface Rewrite {
  readonly kind: 'not-in-to-not-exists' | 'count-to-exists' | 'date-to-range';
  readonly why: string;
  readonly sql: string;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Texts that may do the same faster. None is sure to: NULL, time zones and data decide. */
export async function proposeRewrites(sql: string): Promise<readonly Rewrite[]> {
  const grammar = await loadGrammar();
  const statements = grammar.parse(sql);
  if (statements?.length !== 1 || !('SelectStmt' in (statements[0] ?? {}))) return [];
  const source = Buffer.from(sql);
  return [
    ...nodesOf(statements, 'BoolExpr').flatMap((expression) =>
      expression.boolop === 'NOT_EXPR' ? (notIn(source, expression) ?? []) : [],
    ),
    ...nodesOf(statements, 'A_Expr').flatMap(
      (expression) => countToExists(source, expression) ?? [],
    ),
    ...nodesOf(statements, 'A_Expr').flatMap((expression) => dateToRange(source, expression) ?? []),
  ].filter(({ sql: text }) => isParsed(grammar, text));
}

/** `x NOT IN (SELECT y FROM …)` is never an anti-join, because one NULL makes it empty. */
function notIn(source: Buffer, { args, location = 0 }: { args?: Node[]; location?: number }) {
  const [argument] = args ?? [];
  if (argument === undefined || !('SubLink' in argument)) return undefined;
  const link: SubLink = argument.SubLink;
  if (link.subLinkType !== 'ANY_SUBLINK' || (link.operName?.length ?? 0) > 0) return undefined;
  const test = columnText(link.testexpr);
  const select =
    link.subselect !== undefined && 'SelectStmt' in link.subselect
      ? link.subselect.SelectStmt
      : undefined;
  const [target, another] = select?.targetList ?? [];
  if (test === undefined || select === undefined || target === undefined || another !== undefined)
    return undefined;
  const column = 'ResTarget' in target ? columnText(target.ResTarget.val) : undefined;
  const plain =
    select.groupClause === undefined &&
    select.limitCount === undefined &&
    select.op === 'SETOP_NONE';
  if (column === undefined || !plain) return undefined;
  const open = source.indexOf('(', location);
  const end = closing(source, open);
  if (open < 0 || end < 0) return undefined;
  const inner = source.subarray(open + 1, end).toString();
  const testLocation = locationOf(link.testexpr);
  if (testLocation === undefined) return undefined;
  const text = `NOT EXISTS (SELECT FROM (${inner}) AS listed (value) WHERE listed.value = ${test})`;
  return {
    kind: 'not-in-to-not-exists' as const,
    why: 'NOT EXISTS can be an anti-join, which hashes the list once.',
    sql: applied(source, [{ start: Math.min(testLocation, location), end: end + 1, text }]),
  };
}

/** `(SELECT count(*) FROM …) > 0` counts all where one would do. */
function countToExists(source: Buffer, { name, lexpr, rexpr }: A_Expr): Rewrite | undefined {
  const operator = operatorOf(name);
  if (operator !== '>' || integerOf(rexpr) !== 0 || lexpr === undefined || !('SubLink' in lexpr))
    return undefined;
  const { subLinkType, subselect, location = 0 } = lexpr.SubLink;
  if (subLinkType !== 'EXPR_SUBLINK' || subselect === undefined || !('SelectStmt' in subselect))
    return undefined;
  const [target, another] = subselect.SelectStmt.targetList ?? [];
  if (target === undefined || another !== undefined || !('ResTarget' in target)) return undefined;
  const { val } = target.ResTarget;
  if (val === undefined || !('FuncCall' in val) || val.FuncCall.agg_star !== true) return undefined;
  if (subselect.SelectStmt.groupClause !== undefined) return undefined;
  const open = source.indexOf('(', location);
  const end = closing(source, open);
  const zeroAt = locationOf(rexpr);
  if (open < 0 || end < 0 || zeroAt === undefined) return undefined;
  const inner = source
    .subarray(open + 1, end)
    .toString()
    .replace(/count\s*\(\s*\*\s*\)(\s+as\s+\w+)?/i, '');
  return {
    kind: 'count-to-exists',
    why: 'EXISTS stops at the first row.',
    sql: applied(source, [{ start: open, end: zeroAt + 1, text: `EXISTS (${inner})` }]),
  };
}

/** `column::date = day` computes the day of every row, so no index on the column serves it. */
function dateToRange(
  source: Buffer,
  { kind, name, lexpr, rexpr, location = 0 }: A_Expr,
): Rewrite | undefined {
  if (kind !== 'AEXPR_OP' || operatorOf(name) !== '=' || lexpr === undefined || rexpr === undefined)
    return undefined;
  const column = dateColumn(lexpr);
  const value = valueText(source, rexpr);
  const start = column?.start;
  if (column === undefined || value === undefined || start === undefined || start > location)
    return undefined;
  const text = `(${column.text} >= (${value.text})::date AND ${column.text} < (${value.text})::date + 1)`;
  return {
    kind: 'date-to-range',
    why: 'A range of the column itself can use an index on it.',
    sql: applied(source, [{ start, end: value.end, text }]),
  };
}

function dateColumn(node: Node): { text: string; start: number | undefined } | undefined {
  if ('TypeCast' in node) {
    const names = (node.TypeCast.typeName?.names ?? []).map((name) =>
      'String' in name ? name.String.sval : '',
    );
    const text = columnText(node.TypeCast.arg);
    return names.at(-1) === 'date' && text !== undefined
      ? { text, start: locationOf(node.TypeCast.arg) }
      : undefined;
  }
  if (!('FuncCall' in node)) return undefined;
  const names = (node.FuncCall.funcname ?? []).map((name) =>
    'String' in name ? name.String.sval : '',
  );
  const [argument, another] = node.FuncCall.args ?? [];
  const text = columnText(argument);
  return names.at(-1) === 'date' && another === undefined && text !== undefined
    ? { text, start: node.FuncCall.location ?? 0 }
    : undefined;
}

/** A parameter or a literal, with or without a cast after it. */
function valueText(source: Buffer, node: Node): { text: string; end: number } | undefined {
  const inner = 'TypeCast' in node ? node.TypeCast.arg : node;
  const start = locationOf(node) ?? locationOf(inner);
  if (inner === undefined || start === undefined) return undefined;
  if (!('ParamRef' in inner) && !('A_Const' in inner)) return undefined;
  const rest = source.subarray(locationOf(inner) ?? start).toString();
  const [text] = /^(\$\d+|'(?:[^']|'')*')(\s*::\s*date)?/i.exec(rest) ?? [];
  if (text === undefined) return undefined;
  const from = locationOf(inner) ?? start;
  return { text: text.replace(/\s*::\s*date$/i, ''), end: from + Buffer.byteLength(text) };
}

function columnText(node: Node | undefined): string | undefined {
  if (node === undefined || !('ColumnRef' in node)) return undefined;
  const fields = (node.ColumnRef.fields ?? []).map((field) =>
    'String' in field ? field.String.sval : undefined,
  );
  if (fields.some((field) => field === undefined)) return undefined;
  return fields.map((field) => `"${(field ?? '').replaceAll('"', '""')}"`).join('.');
}

function operatorOf(name: readonly Node[] | undefined): string | undefined {
  const [first] = name ?? [];
  return first !== undefined && 'String' in first ? first.String.sval : undefined;
}

function integerOf(node: Node | undefined): number | undefined {
  if (node === undefined || !('A_Const' in node) || node.A_Const.ival === undefined)
    return undefined;
  return node.A_Const.ival.ival ?? 0;
}

function locationOf(node: Node | undefined): number | undefined {
  if (node === undefined) return undefined;
  const [body] = Object.values(node) as { readonly location?: number }[];
  return body === undefined ? undefined : (body.location ?? 0);
}

/** Where the bracket that opens at `open` closes; -1 when it does not. */
function closing(source: Buffer, open: number): number {
  let depth = 0;
  let quote = '';
  const text = source.toString('latin1');
  for (let at = open; at >= 0 && at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === "'" || character === '"') quote = character;
    else if (character === '(') depth += 1;
    else if (character === ')') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}

function applied(source: Buffer, edits: readonly Edit[]): string {
  const parts: string[] = [];
  let from = 0;
  for (const { start, end, text } of edits) {
    parts.push(source.subarray(from, start).toString(), text);
    from = end;
  }
  return parts.join('') + source.subarray(from).toString();
}

function isParsed(grammar: Grammar, sql: string): boolean {
  return grammar.parse(sql) !== undefined;
}
