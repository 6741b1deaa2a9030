import type { JoinExpr, RangeSubselect, RangeVar, SelectStmt, WithClause } from 'libpg-query';
import { nodesOf, type SqlNode } from '../workload/grammar.js';
import { readConditions, type ConditionReader } from './conditions.js';
import { keyOf, stringsOf, termOf } from './expression.js';
import { readOrders } from './orders.js';
import type { RelationNames } from './relation-names.js';
import { type Output, type Outputs, Scope, type ScopedNode, type ScopeItem } from './scope.js';
import type { TableUse } from './table-use.js';

/** Views within views within views; PostgreSQL refuses cycles, and this ends all others. */
const MAX_DEPTH = 30;

/** Reads queries at all levels of a statement, and collects the tables that they use. */
export class SelectReader {
  readonly uses: TableUse[] = [];
  #depth = 0;

  constructor(
    private readonly names: RelationNames,
    private readonly parameters: readonly unknown[] | undefined,
  ) {}

  scope(parent?: Scope): Scope {
    return new Scope(parent);
  }

  conditionReader(scope: Scope): ConditionReader {
    return {
      scope,
      parameters: this.parameters,
      sink: (use, condition) => use.conditions.push(condition),
    };
  }

  /** Reads a query whose rows are the result of the statement, so all its columns are read. */
  readResult(select: SelectStmt, parent?: Scope): void {
    this.#markOutputs(this.read(select, parent));
  }

  /** Reads a query; its columns count as read when somebody asks for them. */
  read(select: SelectStmt, parent?: Scope): Outputs {
    this.#depth += 1;
    try {
      return this.#depth > MAX_DEPTH ? [] : this.#read(select, parent);
    } finally {
      this.#depth -= 1;
    }
  }

  readWith(clause: WithClause | undefined, scope: Scope): void {
    for (const node of clause?.ctes ?? []) {
      if (!('CommonTableExpr' in node)) continue;
      const { ctename = '', ctequery, aliascolnames } = node.CommonTableExpr;
      // Within itself a recursive query is known by name alone.
      scope.ctes.set(ctename, undefined);
      if (ctequery === undefined || !('SelectStmt' in ctequery)) continue;
      scope.ctes.set(
        ctename,
        renamed(this.read(ctequery.SelectStmt, scope.within(false)), aliascolnames),
      );
    }
  }

  readFrom(items: readonly SqlNode[] | undefined, scope: Scope): void {
    for (const item of items ?? []) {
      if ('RangeVar' in item) scope.items.push(this.#relation(item.RangeVar, scope));
      else if ('JoinExpr' in item) this.#join(item.JoinExpr, scope);
      else if ('RangeSubselect' in item) this.#subquery(item.RangeSubselect, scope);
      else if ('RangeFunction' in item) {
        const { alias, functions } = item.RangeFunction;
        this.mark(functions ?? [], scope);
        scope.items.push({ alias: alias?.aliasname ?? '', outputs: undefined });
      }
    }
  }

  /** Notes the columns that expressions read, and reads the subqueries within them. */
  mark(nodes: readonly unknown[], scope: Scope): void {
    for (const node of nodes) this.#mark(node, scope);
  }

  #read(select: SelectStmt, parent: Scope | undefined): Outputs {
    const scope = new Scope(parent);
    this.readWith(select.withClause, scope);
    if (select.larg !== undefined && select.rarg !== undefined) {
      const branches = [...this.read(select.larg, scope), ...this.read(select.rarg, scope)];
      const [first = []] = branches;
      // The names of a UNION's columns are those of its first query.
      const aligned = branches.map((outputs) =>
        outputs.map((output, position) => ({
          ...output,
          name: first[position]?.name ?? output.name,
        })),
      );
      return select.op === 'SETOP_UNION' && select.limitCount === undefined
        ? aligned
        : aligned.map((outputs) => closed(outputs, () => this.#markOutputs([outputs])));
    }
    this.readFrom(select.fromClause, scope);
    for (let branch = 0; branch < scope.branches; branch += 1) {
      const branchScope = scope.atBranch(branch);
      readConditions(select.whereClause, this.conditionReader(branchScope));
      readOrders(select, branchScope);
    }
    this.mark([select.whereClause, select.havingClause, select.groupClause], scope);
    this.mark([select.sortClause, select.distinctClause, select.windowClause], scope);
    this.mark([select.limitCount, select.limitOffset, select.valuesLists], scope);
    return this.#outputs(select, scope);
  }

  #outputs(select: SelectStmt, scope: Scope): Outputs {
    const isOpen = select.limitCount === undefined && select.limitOffset === undefined;
    const outputs = Array.from({ length: scope.branches }, (_, branch) => {
      const branchScope = scope.atBranch(branch);
      return (select.targetList ?? []).flatMap((node) => {
        const { name, val } = 'ResTarget' in node ? node.ResTarget : {};
        if (val === undefined) return [];
        return isStar(val)
          ? starOutputs(val, branchScope)
          : [{ name: name ?? nameOf(val), origin: { node: val, scope: branchScope } }];
      });
    });
    return isOpen
      ? outputs
      : outputs.map((columns) => closed(columns, () => this.#markOutputs([columns])));
  }

  #relation(relation: RangeVar, scope: Scope): ScopeItem {
    const { schemaname, relname = '', alias } = relation;
    const name = alias?.aliasname ?? relname;
    const cte = schemaname === undefined ? scope.cte(relname) : null;
    if (cte !== null) return { alias: name, outputs: renamed(cte, alias?.colnames) };
    const found = this.names.find(relation);
    if (found?.kind === 'view') {
      return { alias: name, outputs: renamed(this.read(found.query), alias?.colnames) };
    }
    if (found === undefined || found.table.kind === 'foreign table') {
      return { alias: name, outputs: undefined };
    }
    const { table } = found;
    const use = { table, conditions: [], alternatives: [], orders: [], columns: new Set<string>() };
    this.uses.push(use);
    return { alias: name, use };
  }

  #subquery({ subquery, alias, lateral }: RangeSubselect, scope: Scope): void {
    if (subquery === undefined || !('SelectStmt' in subquery)) return;
    const inner = scope.within(lateral === true);
    const outputs = renamed(this.read(subquery.SelectStmt, inner), alias?.colnames);
    scope.items.push({ alias: alias?.aliasname ?? '', outputs });
  }

  #join({ larg, rarg, quals, usingClause, alias }: JoinExpr, scope: Scope): void {
    const start = scope.items.length;
    this.readFrom(larg === undefined ? [] : [larg], scope);
    const middle = scope.items.length;
    this.readFrom(rarg === undefined ? [] : [rarg], scope);
    for (let branch = 0; branch < scope.branches; branch += 1) {
      readConditions(quals, this.conditionReader(scope.atBranch(branch)));
    }
    this.mark([quals], scope);
    for (const column of stringsOf(usingClause)) {
      const condition = usingCondition(
        column,
        scope.items.slice(start, middle),
        scope.items.slice(middle),
        scope,
      );
      readConditions(condition, this.conditionReader(scope));
      this.mark([condition], scope);
    }
    // The join's own name stands for both sides; columns are found by name alone in most uses.
    if (alias?.aliasname === undefined) return;
    const { aliasname } = alias;
    for (const item of scope.items.slice(start)) scope.items.push({ ...item, alias: aliasname });
  }

  #mark(value: unknown, scope: Scope): void {
    if (typeof value !== 'object' || value === null) return;
    const node = value as SqlNode;
    if ('ColumnRef' in node) return this.#markColumn(stringsOf(node.ColumnRef.fields), scope);
    if ('SubLink' in node) {
      const { subselect, testexpr, subLinkType } = node.SubLink;
      this.#mark(testexpr, scope);
      if (subselect === undefined || !('SelectStmt' in subselect)) return;
      const outputs = this.read(subselect.SelectStmt, scope);
      if (subLinkType === 'EXISTS_SUBLINK') return;
      this.#markOutputs(outputs);
      if (subLinkType === 'ANY_SUBLINK') this.#joinMembers(outputs);
      return;
    }
    for (const child of Object.values(value)) this.#mark(child, scope);
  }

  /** In `x IN (SELECT y …)` y is joined with x. */
  #joinMembers(outputs: Outputs): void {
    for (const [first] of outputs) {
      if (first?.origin === undefined) continue;
      const found = keyOf(termOf(first.origin.node, first.origin.scope));
      found?.use.conditions.push({ kind: 'join', key: found.key });
    }
  }

  #markColumn(fields: readonly string[], scope: Scope): void {
    const resolved = scope.resolve(fields);
    if (resolved !== undefined) return this.#markOrigin(resolved);
    const item = scope.itemOf(fields.findLast((field) => field !== '*') ?? '');
    if (item !== undefined) return this.#markItem(item, scope);
    if (fields.at(-1) === '*') for (const each of scope.items) this.#markItem(each, scope);
  }

  #markOrigin(resolved: NonNullable<ReturnType<Scope['resolve']>>): void {
    if ('node' in resolved) this.mark([resolved.node], resolved.scope);
    else resolved.use.columns.add(resolved.column);
  }

  #markItem(item: ScopeItem, scope: Scope): void {
    if ('use' in item) {
      for (const { name } of item.use.table.columns) item.use.columns.add(name);
    } else this.#markOutputs([scope.outputsOf(item)]);
  }

  #markOutputs(outputs: Outputs): void {
    for (const { origin } of outputs.flat()) {
      if (origin !== undefined) this.mark([origin.node], origin.scope);
    }
  }
}

/** Outputs through which no condition is handed down; what they are made of is read. */
function closed(outputs: readonly Output[], markAll: () => void): readonly Output[] {
  markAll();
  return outputs.map(({ name }) => ({ name, origin: undefined }));
}

function renamed(outputs: Outputs | undefined, names: readonly SqlNode[] | undefined) {
  const given = stringsOf(names);
  return outputs?.map((columns) =>
    columns.map((column, position) => ({ ...column, name: given[position] ?? column.name })),
  );
}

function isStar(node: SqlNode): boolean {
  return 'ColumnRef' in node && nodesOf(node, 'A_Star').length > 0;
}

/** The columns that `*` or `relation.*` stands for. */
function starOutputs(node: SqlNode, scope: Scope): readonly Output[] {
  const fields = 'ColumnRef' in node ? stringsOf(node.ColumnRef.fields) : [];
  const relation = fields.at(-2);
  const items = scope.items.filter(({ alias }) => relation === undefined || alias === relation);
  return items.flatMap((item) => {
    if (!('use' in item)) return scope.outputsOf(item);
    return item.use.table.columns.map(({ name }) => ({
      name,
      origin: { node: columnNode([item.alias, name]), scope } satisfies ScopedNode,
    }));
  });
}

/** The name that PostgreSQL gives a column without one. */
function nameOf(node: SqlNode): string {
  if ('ColumnRef' in node) return stringsOf(node.ColumnRef.fields).at(-1) ?? '';
  if ('FuncCall' in node) return stringsOf(node.FuncCall.funcname).at(-1) ?? '';
  if ('TypeCast' in node && node.TypeCast.arg !== undefined) return nameOf(node.TypeCast.arg);
  return '?column?';
}

function usingCondition(
  column: string,
  lefts: readonly ScopeItem[],
  rights: readonly ScopeItem[],
  scope: Scope,
): SqlNode {
  const has = (item: ScopeItem) =>
    'use' in item
      ? item.use.table.columns.some(({ name }) => name === column)
      : scope.outputsOf(item).some(({ name }) => name === column);
  const left = lefts.find((item) => has(item))?.alias ?? '';
  const right = rights.find((item) => has(item))?.alias ?? '';
  return comparisonOf(columnNode([left, column]), columnNode([right, column]));
}

function comparisonOf(lexpr: SqlNode, rexpr: SqlNode): SqlNode {
  return { A_Expr: { kind: 'AEXPR_OP', name: [{ String: { sval: '=' } }], lexpr, rexpr } };
}

function columnNode(fields: readonly string[]): SqlNode {
  return { ColumnRef: { fields: fields.map((sval) => ({ String: { sval } })) } };
}
