import type { ColumnStatistics } from './column-statistics.js';

/** An index that exists. */
export interface CatalogIndex {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly method: string;
  /** The statement that creates it. */
  readonly definition: string;
  readonly keys: readonly IndexKey[];
  /** Columns that are only stored. */
  readonly include: readonly string[];
  /** The predicate of a partial index, as SQL. */
  readonly where: string | undefined;
  readonly isUnique: boolean;
  readonly isPrimary: boolean;
  readonly nullsNotDistinct: boolean;
  /** False after a failed concurrent build: it costs writes and serves no reads. */
  readonly isValid: boolean;
  readonly isReplicaIdentity: boolean;
  readonly isClustered: boolean;
  /** The constraint that needs this index. */
  readonly constraint: IndexConstraint | undefined;
  /** Of an index on a partition: the index on the parent that it belongs to. */
  readonly parentOid: number | undefined;
  /** Storage options such as `fillfactor=70`. */
  readonly options: readonly string[];
  /** Pages now. */
  readonly pages: number;
  readonly bytes: number;
  /** When last analysed; of a partial index the rows that it has. */
  readonly analysedPages: number;
  readonly analysedRows: number;
  readonly activity: IndexActivity;
}

export interface IndexConstraint {
  readonly name: string;
  readonly kind: 'primary key' | 'unique' | 'exclusion';
  readonly definition: string;
  /** Tables with a foreign key that refers to this constraint. */
  readonly isReferenced: boolean;
}

export interface IndexKey {
  /** The column, unless the key is an expression. */
  readonly column: string | undefined;
  /** The key as SQL, without order and operator class. */
  readonly expression: string;
  readonly direction: 'asc' | 'desc';
  readonly nulls: 'first' | 'last';
  /** The operator class, when it is not the type's own for the method. */
  readonly opclass: string | undefined;
  /** The collation as SQL, when it is not the column's. */
  readonly collation: string | undefined;
  /** Of an expression, when analysed and visible to the role. */
  readonly statistics: ColumnStatistics | undefined;
}

/** Counters since the server's `countersSince`. */
export interface IndexActivity {
  readonly scans: number;
  readonly tuplesRead: number;
  readonly tuplesFetched: number;
  /** Known from PostgreSQL 16. */
  readonly lastScanAt: Date | undefined;
}
