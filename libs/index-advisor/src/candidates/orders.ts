import type { SelectStmt, SortBy, WindowDef } from 'libpg-query';
import { nodesOf, type SqlNode } from '../workload/grammar.js';
import { keyOf, stringsOf, termOf } from './expression.js';
import type { Scope } from './scope.js';
import type { Order, OrderTerm, TableUse } from './table-use.js';

/** Reads the orders that a query wants its rows in, as far as they are about one table. */
export function readOrders(select: SelectStmt, scope: Scope): void {
  const targets = select.targetList ?? [];
  add('sort', select.sortClause, targets, scope);
  add('group', select.groupClause, targets, scope);
  const distinct = select.distinctClause ?? [];
  if (distinct.length > 0) {
    const named = distinct.filter((node) => Object.keys(node).length > 0);
    const all = targets.flatMap((node) => valueOf(node) ?? []);
    add('distinct', named.length > 0 ? named : all, targets, scope);
  }
  for (const { funcname, args = [], over } of nodesOf(targets, 'FuncCall')) {
    const name = stringsOf(funcname).at(-1);
    const isExtreme = (name === 'min' || name === 'max') && over === undefined;
    if (isExtreme) add('extreme', args, targets, scope);
  }
  for (const window of windowsOf(select)) {
    const nodes = [...(window.partitionClause ?? []), ...(window.orderClause ?? [])];
    add('window', nodes, targets, scope);
  }
}

function windowsOf(select: SelectStmt): readonly WindowDef[] {
  const named = nodesOf(select.windowClause, 'WindowDef');
  const inline = nodesOf(select.targetList, 'FuncCall').flatMap(({ over }) => over ?? []);
  return [...named, ...inline];
}

function add(
  why: Order['why'],
  nodes: readonly SqlNode[] | undefined,
  targets: readonly SqlNode[],
  scope: Scope,
): void {
  const terms: OrderTerm[] = [];
  let of: TableUse | undefined;
  for (const node of nodes ?? []) {
    const sort: SortBy = 'SortBy' in node ? node.SortBy : { node };
    const term = termOf(targetOf(sort.node, targets), scope);
    if (term.uses.size === 0) {
      // A constant orders nothing; what is not known ends the order.
      if (term.sql === undefined) break;
      continue;
    }
    const found = keyOf(term);
    if (found === undefined || (of !== undefined && found.use !== of)) break;
    of = found.use;
    terms.push({ key: found.key, ...directionOf(sort) });
  }
  if (of !== undefined && terms.length > 0) of.orders.push({ why, terms });
}

function directionOf({ sortby_dir, sortby_nulls }: SortBy): Pick<OrderTerm, 'direction' | 'nulls'> {
  const direction = sortby_dir === 'SORTBY_DESC' ? 'desc' : 'asc';
  if (sortby_nulls === 'SORTBY_NULLS_FIRST') return { direction, nulls: 'first' };
  if (sortby_nulls === 'SORTBY_NULLS_LAST') return { direction, nulls: 'last' };
  return { direction, nulls: direction === 'asc' ? 'last' : 'first' };
}

/** What `ORDER BY 1` and `ORDER BY alias` refer to. */
function targetOf(node: SqlNode | undefined, targets: readonly SqlNode[]): SqlNode | undefined {
  if (node === undefined) return undefined;
  if ('A_Const' in node) {
    const position = node.A_Const.ival?.ival;
    return position === undefined ? node : (valueOf(targets[position - 1]) ?? node);
  }
  if (!('ColumnRef' in node)) return node;
  const fields = stringsOf(node.ColumnRef.fields);
  if (fields.length !== 1) return node;
  const named = targets.find(
    (target) => 'ResTarget' in target && target.ResTarget.name === fields[0],
  );
  return valueOf(named) ?? node;
}

function valueOf(node: SqlNode | undefined): SqlNode | undefined {
  return node !== undefined && 'ResTarget' in node ? node.ResTarget.val : undefined;
}
