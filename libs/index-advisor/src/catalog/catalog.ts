import type { Difference } from '../what-if/what-if-planner.js';
import type { CatalogIndex } from './catalog-index.js';
import type { ColumnStatistics, ExtendedStatistics } from './column-statistics.js';

/** What a database says about itself, read from its catalogs and statistics at one moment. */
export interface Catalog {
  readonly server: ServerFacts;
  readonly schemas: readonly string[];
  readonly extensions: readonly Extension[];
  readonly types: readonly UserType[];
  readonly functions: readonly UserFunction[];
  readonly tables: readonly Table[];
  readonly views: readonly View[];
  /** What this role could not read, and what that does to plans. */
  readonly gaps: readonly Difference[];
}

/** The server and the session that read the catalog. */
export interface ServerFacts {
  /** Such as 180004. */
  readonly versionNumber: number;
  /** Such as 18. */
  readonly majorVersion: number;
  readonly database: string;
  readonly role: string;
  readonly isReplica: boolean;
  /** Bytes of a page; 8192 unless PostgreSQL was built otherwise. */
  readonly blockBytes: number;
  /** Whether text sorts by bytes (C, POSIX, builtin), so that LIKE uses a plain index. */
  readonly sortsByBytes: boolean;
  readonly encoding: string;
  /** Settings that the planner goes by, as `SET` takes them. */
  readonly settings: ReadonlyMap<string, string>;
  /** When the counters of usage were last reset; `undefined` when never. */
  readonly countersSince: Date | undefined;
}

export interface Extension {
  readonly name: string;
  readonly schema: string;
  readonly version: string;
}

/** An enum, domain, composite or range type that tables or functions of the catalog may use. */
export interface UserType {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** The statement that creates it. */
  readonly definition: string;
}

/** A function or procedure of the database's own, without those of extensions. */
export interface UserFunction {
  readonly schema: string;
  readonly name: string;
  readonly definition: string;
}

/** A view; its query is planned as part of the statements that read it. */
export interface View {
  readonly schema: string;
  readonly name: string;
  readonly definition: string;
}

export type TableKind = 'table' | 'partitioned' | 'materialized view' | 'foreign table';

export interface Table {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: TableKind;
  readonly isUnlogged: boolean;
  readonly hasRowSecurity: boolean;
  /** Storage options such as `fillfactor=70`. */
  readonly options: readonly string[];
  readonly columns: readonly Column[];
  readonly indexes: readonly CatalogIndex[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly checks: readonly Check[];
  readonly extendedStatistics: readonly ExtendedStatistics[];
  readonly partitioning: Partitioning;
  readonly size: TableSize;
  readonly activity: TableActivity;
}

export interface Partitioning {
  /** Of a partitioned table: `RANGE (created_at)`. */
  readonly key?: string;
  /** Tables it inherits from or is a partition of, as oids. */
  readonly parents: readonly number[];
  /** Of a partition: `FOR VALUES FROM … TO …`. */
  readonly bound?: string;
}

export interface TableSize {
  /** Pages of the main file now. */
  readonly pages: number;
  /** Pages, rows and all-visible pages when last analysed; rows are -1 when never. */
  readonly analysedPages: number;
  readonly analysedRows: number;
  readonly allVisiblePages: number;
  /** Rows now: those of the statistics, scaled to the file's size; 0 when never analysed and empty. */
  readonly rows: number;
  /** Bytes with TOAST, free-space and visibility maps, without indexes. */
  readonly bytes: number;
}

/** Counters since `countersSince`; zero where the server does not count. */
export interface TableActivity {
  readonly sequentialScans: number;
  readonly indexScans: number;
  readonly inserts: number;
  readonly updates: number;
  /** Updates that touched no index (HOT). */
  readonly hotUpdates: number;
  readonly deletes: number;
  readonly liveRows: number;
  readonly deadRows: number;
  readonly changesSinceAnalyse: number;
  readonly lastVacuumAt: Date | undefined;
  readonly lastAnalyseAt: Date | undefined;
}

export interface Column {
  readonly name: string;
  /** Its number in the table, from 1; dropped columns leave holes. */
  readonly position: number;
  /** As SQL, such as `character varying(80)`. */
  readonly type: string;
  /** The base type's name in pg_type, through domains: `int4`, `text`, `jsonb`, … */
  readonly baseType: string;
  /** Bytes of a value; -1 for a varying length. */
  readonly typeBytes: number;
  /** `c` 1, `s` 2, `i` 4, `d` 8 bytes. */
  readonly alignment: string;
  readonly isNotNull: boolean;
  /** Collation as SQL when it is not the type's. */
  readonly collation: string | undefined;
  /** Expression of a column that is computed when read (PostgreSQL 18). */
  readonly virtualExpression: string | undefined;
  readonly isIdentity: boolean;
  /** Absent when never analysed or when the role may not read the column. */
  readonly statistics: ColumnStatistics | undefined;
  /** Of the table with its children or partitions. */
  readonly inheritedStatistics: ColumnStatistics | undefined;
}

export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly referencedSchema: string;
  readonly referencedTable: string;
  readonly referencedColumns: readonly string[];
  readonly definition: string;
  readonly isValidated: boolean;
  readonly onDelete: ForeignKeyAction;
}

export type ForeignKeyAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

export interface Check {
  readonly name: string;
  readonly definition: string;
  readonly isValidated: boolean;
}
