import type { ParamRef, TypeCast } from 'libpg-query';
import { fieldsOf, nodesOf, type SqlNode } from './grammar.js';

/** Statements that have a plan. */
const PLANNED = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'] as const;

/** Whether a statement has a plan and is about something else than the catalogs of PostgreSQL. */
export function isAboutTables(statement: SqlNode): boolean {
  if (!PLANNED.some((kind) => kind in statement)) return false;
  // The name of a CTE stands for what its query reads, which is among the relations itself.
  const ctes = new Set(nodesOf(statement, 'CommonTableExpr').map(({ ctename }) => ctename));
  return relationsOf(statement).some(
    ({ schemaname, relname = '' }) =>
      schemaname !== 'pg_catalog' &&
      schemaname !== 'information_schema' &&
      (schemaname !== undefined || !(relname.startsWith('pg_') || ctes.has(relname))),
  );
}

interface NamedRelation {
  readonly schemaname?: string;
  readonly relname?: string;
}

/** Relations by their names; the target of a change stands in a field of its own. */
function relationsOf(statement: SqlNode): readonly NamedRelation[] {
  const targets = fieldsOf(statement, 'relation') as readonly NamedRelation[];
  return [...targets, ...nodesOf(statement, 'RangeVar')];
}

/** The highest `$n` of a statement. */
export function parameterCount(statement: SqlNode): number {
  return Math.max(0, ...nodesOf(statement, 'ParamRef').map(({ number = 0 }) => number));
}

/**
 * The text of a normalised statement as PostgreSQL can plan it without parameters: `interval $1`
 * becomes `$1::interval`, and limits become the rows that were returned, because any limit counts
 * as a tenth of the rows otherwise.
 */
export function plannableText(text: string, statement: SqlNode, meanRows: number): string {
  const limits = limitsOf(statement, meanRows);
  const edits = [...limits.edits, ...prefixCasts(statement, text)];
  if (edits.length === 0) return text;
  const covered = (location: number) =>
    edits.some(({ start, end }) => location >= start && location < end);
  // PostgreSQL wants to know the type of each parameter up to the last, so no gap may stay.
  const renumbered = nodesOf(statement, 'ParamRef').flatMap((parameter) => {
    const { number = 0, location = 0 } = parameter;
    const before = limits.removed.filter((other) => other < number).length;
    return covered(location) || before === 0
      ? []
      : [{ ...spanOf(parameter), replacement: `$${number - before}` }];
  });
  const shifted = edits.map(({ start, end, parameter, write }) => {
    const before = limits.removed.filter((other) => other < parameter).length;
    return { start, end, replacement: write(parameter - before) };
  });
  return applyEdits(text, [...renumbered, ...shifted]);
}

interface Span {
  /** Bytes from the start of the text. */
  readonly start: number;
  readonly end: number;
}

interface ParameterEdit extends Span {
  readonly parameter: number;
  readonly write: (parameter: number) => string;
}

function limitsOf(statement: SqlNode, meanRows: number) {
  const edits: ParameterEdit[] = [];
  const selects = nodesOf(statement, 'SelectStmt');
  // Of several limits nobody knows which one decided how many rows there were.
  const isOnly = selects.filter(({ limitCount }) => limitCount !== undefined).length === 1;
  for (const { limitCount, limitOffset } of selects) {
    const count = parameterOf(limitCount);
    if (count !== undefined) {
      const rows = String(Math.max(1, Math.ceil(isOnly ? meanRows : 1)));
      edits.push({ ...spanOf(count), parameter: count.number ?? 0, write: () => rows });
    }
    const offset = parameterOf(limitOffset);
    if (offset !== undefined) {
      edits.push({ ...spanOf(offset), parameter: offset.number ?? 0, write: () => '0' });
    }
  }
  const gone = new Set(edits.map(({ start }) => start));
  const stays = new Set(
    nodesOf(statement, 'ParamRef')
      .filter(({ location = 0 }) => !gone.has(location))
      .map(({ number = 0 }) => number),
  );
  const removed = [...new Set(edits.map(({ parameter }) => parameter))];
  return { edits, removed: removed.filter((number) => !stays.has(number)) };
}

function parameterOf(node: SqlNode | undefined): ParamRef | undefined {
  if (node === undefined) return undefined;
  if ('ParamRef' in node) return node.ParamRef;
  // Such as `$1::bigint`; the cast may stay around a number.
  return 'TypeCast' in node ? parameterOf(node.TypeCast.arg) : undefined;
}

/** Literals with a type in front, which pg_stat_statements shows as what is no SQL. */
function prefixCasts(statement: SqlNode, text: string): readonly ParameterEdit[] {
  const bytes = Buffer.from(text);
  return nodesOf(statement, 'TypeCast').flatMap((cast) => {
    const parameter = prefixedParameter(cast);
    if (parameter === undefined) return [];
    const start = cast.typeName?.location ?? 0;
    const { start: middle, end } = spanOf(parameter);
    const type = bytes.subarray(start, middle).toString().trim();
    const { number = 0 } = parameter;
    return [{ start, end, parameter: number, write: (given: number) => `($${given})::${type}` }];
  });
}

function prefixedParameter({ arg, typeName }: TypeCast): ParamRef | undefined {
  if (arg === undefined || !('ParamRef' in arg)) return undefined;
  const typeAt = typeName?.location ?? 0;
  // `CAST($1 AS type)` and `$1::type` name the type after the parameter.
  return typeAt >= 0 && typeAt < (arg.ParamRef.location ?? 0) ? arg.ParamRef : undefined;
}

function spanOf({ number = 0, location = 0 }: ParamRef): Span {
  return { start: location, end: location + String(number).length + 1 };
}

function applyEdits(
  text: string,
  edits: readonly (Span & { readonly replacement: string })[],
): string {
  const bytes = Buffer.from(text);
  const parts: string[] = [];
  let from = 0;
  for (const { start, end, replacement } of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(bytes.subarray(from, start).toString(), replacement);
    from = end;
  }
  return parts.join('') + bytes.subarray(from).toString();
}
