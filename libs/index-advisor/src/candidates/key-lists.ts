import type { Table } from '../catalog/catalog.js';
import { canBeOrdered, columnOf, distinctOf, isConstantColumn } from './column-facts.js';
import type { Condition, ConditionKind, KeyTerm, Order, OrderTerm } from './table-use.js';

/** Keys of an index in their order, and what they are for. */
export interface KeyList {
  readonly terms: readonly OrderTerm[];
  readonly reason: string;
  /** Whether all that the statement wants is in it, so that it may be worth covering. */
  readonly isMain: boolean;
}

/** What is wanted of the rows of a table at once. */
export interface Wanted {
  readonly conditions: readonly Condition[];
  readonly orders: readonly Order[];
}

const ROTATIONS = 3;

/**
 * The keys that a B-tree could have for what is wanted, the most promising first: columns of
 * equalities lead, the most selective first; one range or an order follows; joins are equalities
 * whose value comes from another table.
 */
export function keyLists(table: Table, wanted: Wanted, maxKeys: number): readonly KeyList[] {
  const of = (...kinds: readonly ConditionKind[]) => keysOf(table, wanted.conditions, kinds);
  const fixed = of('equality', 'null');
  const equal = unique([...fixed, ...of('list')]).toSorted(bySelectivity(table));
  const ranges = of('range');
  const joins = of('join');
  const orders = wanted.orders
    .map((order) => canonicalOrder(order.why, usefulTerms(table, order)))
    .filter(({ terms }) => terms.length > 0);
  const lists: readonly KeyList[] = [
    listOf(equal),
    ...ranges.map((range) => listOf(equal, [ascending(range)], `range of ${range.sql}`)),
    ...orders.flatMap((order) => orderLists(fixed, equal, order)),
    ...joins.flatMap((join) => joinLists(join, { equal, ranges, joins, orders })),
    ...orders.map(({ reason, terms }) => listOf([], terms, reason)),
    ...rotations(equal).map((keys) => partOf(listOf(keys))),
    ...[...equal, ...ranges].map((key) =>
      partOf(listOf([], [ascending(key)], `condition on ${key.sql}`)),
    ),
  ];
  return uniqueLists(
    lists.map(({ terms, reason, isMain }) => ({
      terms: uniqueTerms(terms).slice(0, maxKeys),
      reason,
      isMain,
    })),
  );
}

function uniqueLists(lists: readonly KeyList[]): readonly KeyList[] {
  const byTerms = new Map<string, KeyList>();
  for (const list of lists) {
    const identity = JSON.stringify(
      list.terms.map(({ key, direction, nulls }) => [key.sql, direction, nulls]),
    );
    if (list.terms.length > 0 && !byTerms.has(identity)) byTerms.set(identity, list);
  }
  return [...byTerms.values()];
}

const WHY: Readonly<Record<Order['why'], string>> = {
  sort: 'order by',
  group: 'group by',
  distinct: 'distinct',
  extreme: 'first or last',
  window: 'window over',
};

interface CanonicalOrder {
  readonly reason: string;
  readonly terms: readonly OrderTerm[];
}

function canonicalOrder(why: Order['why'], given: readonly OrderTerm[]): CanonicalOrder {
  const terms = canonical(given);
  return { reason: `${WHY[why]} ${textOf(terms)}`, terms };
}

function orderLists(
  fixed: readonly KeyTerm[],
  equal: readonly KeyTerm[],
  { reason, terms }: CanonicalOrder,
): readonly KeyList[] {
  const list = listOf(equal, terms, reason);
  // After a list of values the rows come in several runs, so the order may want to lead.
  return fixed.length === equal.length ? [list] : [list, listOf(fixed, terms, reason)];
}

function joinLists(
  join: KeyTerm,
  wanted: {
    readonly equal: readonly KeyTerm[];
    readonly ranges: readonly KeyTerm[];
    readonly joins: readonly KeyTerm[];
    readonly orders: readonly CanonicalOrder[];
  },
): readonly KeyList[] {
  const { equal, ranges, joins, orders } = wanted;
  const joined = (terms: readonly OrderTerm[], also = ''): KeyList => ({
    terms,
    reason: `join on ${join.sql}${also}`,
    isMain: true,
  });
  const keys = (...given: readonly KeyTerm[]) => given.map((key) => ascending(key));
  const others = joins.filter((other) => other.sql !== join.sql);
  return [
    joined(keys(join)),
    ...(equal.length === 0 ? [] : [joined(keys(...equal, join)), joined(keys(join, ...equal))]),
    ...ranges.map((range) => joined(keys(join, ...equal, range), `, then range of ${range.sql}`)),
    ...orders.map(({ terms, reason }) =>
      joined(keys(join, ...equal).concat(terms), `, then ${reason}`),
    ),
    ...others.map((other) => joined(keys(join, other))),
  ];
}

/** Equalities first, then what comes in an order. */
function listOf(
  equal: readonly KeyTerm[],
  rest: readonly OrderTerm[] = [],
  reason?: string,
): KeyList {
  const names = equal.map(({ sql }) => sql).join(', ');
  const reasons = [equal.length === 0 ? undefined : `equality on ${names}`, reason];
  return {
    terms: equal.map((key) => ascending(key)).concat(rest),
    reason: reasons.filter((part) => part !== undefined).join(', then '),
    isMain: true,
  };
}

/** A list with a part of what is wanted. */
function partOf({ terms, reason }: KeyList): KeyList {
  return { terms, reason, isMain: false };
}

function keysOf(
  table: Table,
  conditions: readonly Condition[],
  kinds: readonly ConditionKind[],
): readonly KeyTerm[] {
  const keys = conditions.filter(({ kind }) => kinds.includes(kind)).map(({ key }) => key);
  return unique(keys.filter((key) => isUseful(table, key)));
}

function usefulTerms(table: Table, { terms }: Order): readonly OrderTerm[] {
  const end = terms.findIndex(({ key }) => !isUseful(table, key));
  return end === -1 ? terms : terms.slice(0, end);
}

function isUseful(table: Table, { column }: KeyTerm): boolean {
  if (column === undefined) return true;
  return canBeOrdered(columnOf(table, column)) && !isConstantColumn(table, column);
}

/** The same order read backwards, when that begins ascending: an index is read either way. */
function canonical(terms: readonly OrderTerm[]): readonly OrderTerm[] {
  if (terms[0]?.direction !== 'desc') return terms;
  return terms.map(({ key, direction, nulls }) => ({
    key,
    direction: direction === 'asc' ? 'desc' : 'asc',
    nulls: nulls === 'first' ? 'last' : 'first',
  }));
}

function ascending(key: KeyTerm): OrderTerm {
  return { key, direction: 'asc', nulls: 'last' };
}

function bySelectivity(table: Table) {
  const distinct = ({ column }: KeyTerm) => distinctOf(table, column) ?? 200;
  return (a: KeyTerm, b: KeyTerm) => distinct(b) - distinct(a) || (a.sql < b.sql ? -1 : 1);
}

/** Each of several keys first once, as other statements may want it first. */
function rotations(keys: readonly KeyTerm[]): readonly (readonly KeyTerm[])[] {
  return keys
    .slice(1, ROTATIONS + 1)
    .map((first) => [first].concat(keys.filter((key) => key !== first)));
}

function unique(keys: readonly KeyTerm[]): readonly KeyTerm[] {
  return [...new Map(keys.map((key) => [key.sql, key])).values()];
}

function uniqueTerms(terms: readonly OrderTerm[]): readonly OrderTerm[] {
  return terms.filter(
    (term, position) => terms.findIndex(({ key }) => key.sql === term.key.sql) === position,
  );
}

function textOf(terms: readonly OrderTerm[]): string {
  return terms
    .map(({ key, direction }) => (direction === 'desc' ? `${key.sql} desc` : key.sql))
    .join(', ');
}
