import type { SqlNode } from '../workload/grammar.js';
import type { TableUse } from './table-use.js';

/** An expression in the scope where its names mean something. */
export interface ScopedNode {
  readonly node: SqlNode;
  readonly scope: Scope;
}

/** A column of a subquery, a view or a CTE. */
export interface Output {
  readonly name: string;
  /** Absent when conditions on it cannot be handed down, as below a LIMIT. */
  readonly origin: ScopedNode | undefined;
}

/** The columns of a derived relation: for each branch of a UNION, one set. */
export type Outputs = readonly (readonly Output[])[];

/** A relation that a name in a statement may refer to. */
export type ScopeItem = { readonly alias: string } & (
  | { readonly use: TableUse }
  /** Undefined outputs: nothing is known, as of the result of a function. */
  | { readonly outputs: Outputs | undefined }
);

/** What a column's name stands for. */
export type Resolved = { readonly use: TableUse; readonly column: string } | ScopedNode;

/** The relations of one query level, and those of the levels around it. */
export class Scope {
  readonly items: ScopeItem[] = [];
  readonly ctes = new Map<string, Outputs | undefined>();

  constructor(
    readonly parent?: Scope,
    /** Which branch of each UNION names refer to. */
    readonly branch = 0,
  ) {}

  /** The same relations, with names that refer to another branch of UNIONs. */
  atBranch(branch: number): Scope {
    return this.#copy(branch, true);
  }

  /**
   * What a query in a FROM clause or in WITH sees: CTEs so far, the levels around, and of this level
   * the relations so far when it is LATERAL. What is added later must stay unseen, itself included.
   */
  within(isLateral: boolean): Scope {
    return this.#copy(this.branch, isLateral);
  }

  /** The number of branches of the UNION that has most of them. */
  get branches(): number {
    const counts = this.items.map((item) => ('outputs' in item ? (item.outputs?.length ?? 1) : 1));
    return Math.max(1, ...counts);
  }

  /** The outputs of a CTE; null when there is none of that name. */
  cte(name: string): Outputs | undefined | null {
    if (this.ctes.has(name)) return this.ctes.get(name);
    return this.parent === undefined ? null : this.parent.cte(name);
  }

  /** What `column`, `relation.column` or `schema.relation.column` stands for. */
  resolve(fields: readonly string[]): Resolved | undefined {
    const column = fields.at(-1) ?? '';
    const relation = fields.at(-2);
    for (const item of this.items) {
      if (relation !== undefined && item.alias !== relation) continue;
      const resolved = this.#columnOf(item, column);
      if (resolved !== undefined) return resolved;
    }
    return this.parent?.resolve(fields);
  }

  /** The relation of that name, for references to whole rows. */
  itemOf(alias: string): ScopeItem | undefined {
    return this.items.find((item) => item.alias === alias) ?? this.parent?.itemOf(alias);
  }

  outputsOf(item: ScopeItem): readonly Output[] {
    if ('use' in item) return [];
    return item.outputs?.[this.branch % item.outputs.length] ?? [];
  }

  #copy(branch: number, withItems: boolean): Scope {
    const scope = new Scope(this.parent, branch);
    if (withItems) scope.items.push(...this.items);
    for (const [name, outputs] of this.ctes) scope.ctes.set(name, outputs);
    return scope;
  }

  #columnOf(item: ScopeItem, column: string): Resolved | undefined {
    if (!('use' in item)) {
      return this.outputsOf(item).find(({ name }) => name === column)?.origin;
    }
    const { use } = item;
    return use.table.columns.some(({ name }) => name === column) ? { use, column } : undefined;
  }
}
