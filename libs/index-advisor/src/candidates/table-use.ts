import type { Table } from '../catalog/catalog.js';

/** One place of a statement where a table is read, and what is wanted of its rows there. */
export interface TableUse {
  readonly table: Table;
  /** All of them hold for a row that is wanted. */
  readonly conditions: Condition[];
  /** Branches of an OR; what holds in each of them beside `conditions`. */
  readonly alternatives: (readonly Condition[])[];
  /** Orders in which rows are wanted. */
  readonly orders: Order[];
  /** Columns that are read. */
  readonly columns: Set<string>;
}

/** A column or an expression of one table. */
export interface KeyTerm {
  /** As SQL over the table's columns, without its name. */
  readonly sql: string;
  /** The column, unless it is an expression. */
  readonly column: string | undefined;
  /** The columns it is made of. */
  readonly columns: readonly string[];
}

export type ConditionKind =
  | 'equality'
  | 'null'
  | 'list'
  | 'range'
  | 'join'
  /** LIKE with a fixed start. */
  | 'prefix'
  /** LIKE and regular expressions without one. */
  | 'substring'
  /** Operators that inverted indexes know, such as @>, ? and &&. */
  | 'containment'
  /** Of use only as the predicate of a partial index. */
  | 'constant';

/** What a statement demands of a row of one table. */
export interface Condition {
  readonly kind: ConditionKind;
  readonly key: KeyTerm;
  /** Of a containment. */
  readonly operator?: string;
  /** The other table of a join. */
  readonly other?: TableUse;
  /** The whole condition as SQL, when it holds no values that differ between calls. */
  readonly constant?: string;
}

export interface OrderTerm {
  readonly key: KeyTerm;
  readonly direction: 'asc' | 'desc';
  readonly nulls: 'first' | 'last';
}

/** Rows in an order, or in groups, which an order gives too. */
export interface Order {
  readonly why: 'sort' | 'group' | 'distinct' | 'extreme' | 'window';
  readonly terms: readonly OrderTerm[];
}

/** A change of a table by a statement. */
export interface TableWrite {
  readonly table: Table;
  readonly kind: 'insert' | 'update' | 'delete';
  /** The columns that an update sets. */
  readonly columns: readonly string[];
}
