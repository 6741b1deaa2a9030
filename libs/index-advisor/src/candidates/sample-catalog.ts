import type { Catalog, Column, Table, TableKind, View } from '../catalog/catalog.js';
import type { CatalogIndex } from '../catalog/catalog-index.js';
import { Confidential } from '../catalog/confidential.js';

/** A table as a sample describes it: columns as `name type` or with statistics. */
export interface SampleTable {
  readonly schema?: string;
  readonly name: string;
  readonly kind?: TableKind;
  readonly columns: readonly SampleColumn[];
  readonly rows?: number;
  readonly pages?: number;
  readonly indexes?: readonly SampleIndex[];
  readonly updates?: number;
  readonly hotUpdates?: number;
}

export interface SampleColumn {
  readonly name: string;
  /** As in pg_type; default int4. */
  readonly type?: string;
  readonly distinct?: number;
  readonly nullFraction?: number;
  readonly correlation?: number;
}

export interface SampleIndex {
  readonly name: string;
  readonly columns: readonly string[];
  readonly isUnique?: boolean;
}

/** A catalog to try rules on, without a database. */
export function sampleCatalog(
  tables: readonly SampleTable[],
  { views = {}, extensions = [] as readonly string[], searchPath = '"$user", public' } = {},
): Catalog {
  return {
    server: {
      versionNumber: 180_000,
      majorVersion: 18,
      database: 'sample',
      role: 'app',
      isReplica: false,
      blockBytes: 8192,
      sortsByBytes: false,
      encoding: 'UTF8',
      settings: new Map([['search_path', searchPath]]),
      countersSince: undefined,
    },
    schemas: ['public'],
    extensions: extensions.map((name) => ({ name, schema: 'public', version: '1' })),
    types: [],
    functions: [],
    tables: tables.map((table, position) => tableOf(table, position + 1)),
    views: Object.entries(views as Record<string, string>).map(([name, query]): View => ({
      schema: 'public',
      name,
      definition: `CREATE VIEW "public"."${name}" AS ${query}`,
    })),
    gaps: [],
  };
}

function tableOf(sample: SampleTable, oid: number): Table {
  const { name, schema = 'public', kind = 'table', rows = 100_000, pages = 2000 } = sample;
  const { updates = 0, hotUpdates = 0 } = sample;
  return {
    oid,
    schema,
    name,
    kind,
    isUnlogged: false,
    hasRowSecurity: false,
    options: [],
    columns: sample.columns.map((column, position) => columnOf(column, position + 1)),
    indexes: (sample.indexes ?? []).map((index) => indexOf(index, schema)),
    foreignKeys: [],
    checks: [],
    extendedStatistics: [],
    partitioning: { parents: [] },
    size: {
      pages,
      analysedPages: pages,
      analysedRows: rows,
      allVisiblePages: pages,
      rows,
      bytes: pages * 8192,
    },
    activity: {
      sequentialScans: 0,
      indexScans: 0,
      inserts: 0,
      updates,
      hotUpdates,
      deletes: 0,
      liveRows: rows,
      deadRows: 0,
      changesSinceAnalyse: 0,
      lastVacuumAt: undefined,
      lastAnalyseAt: undefined,
    },
  };
}

const BYTES: Readonly<Record<string, number>> = { int4: 4, int8: 8, bool: 1, timestamptz: 8 };

function columnOf(sample: SampleColumn, position: number): Column {
  const { name, type = 'int4', distinct = -0.5, nullFraction = 0, correlation = 0 } = sample;
  return {
    name,
    position,
    type,
    baseType: type,
    typeBytes: BYTES[type] ?? -1,
    alignment: 'i',
    isNotNull: nullFraction === 0,
    collation: undefined,
    virtualExpression: undefined,
    isIdentity: false,
    statistics: {
      nullFraction,
      averageWidth: BYTES[type] ?? 20,
      distinct,
      correlation,
      mostCommonFrequencies: undefined,
      values: new Confidential({}),
    },
    inheritedStatistics: undefined,
  };
}

function indexOf({ name, columns, isUnique = false }: SampleIndex, schema: string): CatalogIndex {
  return {
    oid: 0,
    schema,
    name,
    method: 'btree',
    definition: '',
    keys: columns.map((column) => ({
      column,
      expression: column,
      direction: 'asc',
      nulls: 'last',
      opclass: undefined,
      collation: undefined,
      statistics: undefined,
    })),
    include: [],
    where: undefined,
    isUnique,
    isPrimary: false,
    nullsNotDistinct: false,
    isValid: true,
    isReplicaIdentity: false,
    isClustered: false,
    constraint: undefined,
    parentOid: undefined,
    options: [],
    pages: 100,
    bytes: 819_200,
    analysedPages: 100,
    analysedRows: 100_000,
    activity: { scans: 0, tuplesRead: 0, tuplesFetched: 0, lastScanAt: undefined },
  };
}
