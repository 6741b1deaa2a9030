import type { Table } from '../catalog/catalog.js';
import type { CandidateKey } from '../what-if/candidate-index.js';
import type { CandidateLimits, Proposal } from './candidate.js';
import { canBeOrdered, columnOf, nullFractionOf, widthOf } from './column-facts.js';
import { type KeyList, keyLists, type Wanted } from './key-lists.js';
import type { Condition, OrderTerm, TableUse } from './table-use.js';

/** A predicate that most rows fulfil leaves an index as big as it was. */
const LARGEST_SHARE = 0.8;
/** Constant conditions that are tried as predicates. */
const MAX_PREDICATES = 3;
/** An index with more of the row's width than this is nearly a copy of the table. */
const WIDEST_SHARE = 0.6;
/** Bytes of a row's header and line pointer. */
const ROW_OVERHEAD = 28;
/** A B-tree's entry may not be larger; wide columns would make builds fail. */
const WIDEST_BYTES = 600;

type Limits = Required<Pick<CandidateLimits, 'maxKeys' | 'maxIncluded'>>;

/** B-trees for one place of a statement: plain, covering, and partial. */
export function proposeOrdered(
  use: TableUse,
  isConstant: (predicate: string) => boolean,
  limits: Limits,
): readonly Proposal[] {
  const wanteds = [
    use.conditions,
    ...use.alternatives.map((branch) => [...use.conditions, ...branch]),
  ].map((conditions): Wanted => ({ conditions, orders: use.orders }));
  return wanteds.flatMap((wanted) =>
    keyLists(use.table, wanted, limits.maxKeys)
      .flatMap((list) => withCovering(use, list, undefined, limits))
      .concat(proposePartial(use, wanted, isConstant, limits)),
  );
}

function proposePartial(
  use: TableUse,
  wanted: Wanted,
  isConstant: (predicate: string) => boolean,
  limits: Limits,
): readonly Proposal[] {
  const constants = wanted.conditions
    .filter(
      (condition) =>
        condition.constant !== undefined &&
        isConstant(condition.constant) &&
        isSelective(use.table, condition),
    )
    .slice(0, MAX_PREDICATES);
  const sets =
    constants.length > 1
      ? [constants, ...constants.map((one) => [one])]
      : constants.map((one) => [one]);
  return sets.flatMap((predicates) => {
    const where = [...new Set(predicates.map(({ constant }) => constant))].join(' AND ');
    const rest = wanted.conditions.filter((condition) => !predicates.includes(condition));
    const lists = keyLists(use.table, { ...wanted, conditions: rest }, limits.maxKeys);
    const main = lists.filter(({ isMain }) => isMain);
    const chosen = main.length > 0 ? main : fallback(use.table, predicates);
    return chosen.flatMap((list) => withCovering(use, list, where, limits, predicates));
  });
}

/** With no other column to look for, the rows of the predicate are found by its own. */
function fallback(table: Table, predicates: readonly Condition[]): readonly KeyList[] {
  const [first] = predicates;
  if (first?.key.column === undefined || !canBeOrdered(columnOf(table, first.key.column)))
    return [];
  const terms: OrderTerm[] = [{ key: first.key, direction: 'asc', nulls: 'last' }];
  return [{ terms, reason: 'rows of a constant condition', isMain: true }];
}

function isSelective(table: Table, { constant = '', key }: Condition): boolean {
  const nulls = nullFractionOf(table, key.column);
  if (nulls === undefined) return true;
  if (constant.endsWith('IS NULL')) return nulls <= LARGEST_SHARE;
  return !constant.endsWith('IS NOT NULL') || 1 - nulls <= LARGEST_SHARE;
}

function withCovering(
  use: TableUse,
  list: KeyList,
  where: string | undefined,
  limits: Limits,
  predicates: readonly Condition[] = [],
): readonly Proposal[] {
  const plain = proposal(use.table, list, where);
  return [plain].concat(covering(use, list, where, limits, predicates));
}

/** The same keys with all other columns that are read, when that is much narrower than the rows. */
function covering(
  { table, columns }: TableUse,
  list: KeyList,
  where: string | undefined,
  { maxIncluded }: Limits,
  predicates: readonly Condition[],
): readonly Proposal[] {
  if (!list.isMain) return [];
  const keys = new Set(list.terms.map(({ key }) => key.column));
  const proven = new Set(predicates.map(({ key }) => key.column));
  const include = table.columns
    .filter(({ name }) => columns.has(name) && !keys.has(name) && !proven.has(name))
    .map(({ name }) => name)
    .toSorted();
  if (include.length === 0 || include.length > maxIncluded) return [];
  const stored = [...keys, ...include]
    .map((name) => columnOf(table, name))
    .filter((column) => column !== undefined);
  const bytes = stored.reduce((sum, column) => sum + widthOf(column), 0);
  const rowBytes = ROW_OVERHEAD + table.columns.reduce((sum, column) => sum + widthOf(column), 0);
  if (bytes > rowBytes * WIDEST_SHARE || bytes > WIDEST_BYTES) return [];
  const { index, reason } = proposal(table, list, where);
  return [{ index: { ...index, include }, reason: `${reason}, without reading the table` }];
}

function proposal(table: Table, { terms, reason }: KeyList, where?: string): Proposal {
  const index = {
    schema: table.schema,
    table: table.name,
    method: 'btree' as const,
    keys: terms.map((term) => candidateKey(term)),
  };
  return where === undefined
    ? { index, reason }
    : { index: { ...index, where }, reason: `${reason}, of the rows where ${where}` };
}

/** A key as `CREATE INDEX` takes it, without what is the default. */
export function candidateKey({ key, direction, nulls }: OrderTerm): CandidateKey {
  return {
    ...(key.column === undefined ? { expression: bare(key.sql) } : { column: key.column }),
    ...(direction === 'asc' ? {} : { direction }),
    ...(nulls === (direction === 'asc' ? 'last' : 'first') ? {} : { nulls }),
  };
}

/** An operator's expression stands in parentheses of its own; others may begin with some. */
export function bare(sql: string): string {
  if (!sql.startsWith('(')) return sql;
  let depth = 0;
  let isText = false;
  for (let position = 0; position < sql.length; position += 1) {
    const character = sql[position];
    if (character === "'") isText = !isText;
    if (isText) continue;
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (depth === 0) return position === sql.length - 1 ? sql.slice(1, -1) : sql;
  }
  return sql;
}
