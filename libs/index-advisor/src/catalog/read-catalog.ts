import type { Connection } from '../connection/connection.js';
import { readOnly, type ReadLimits } from '../connection/read-only.js';
import type { Catalog, Table } from './catalog.js';
import { gapsOf, type ReadColumn } from './gaps.js';
import { type ColumnRow, readColumns } from './read-columns.js';
import {
  type OfTable,
  readChecks,
  readExtendedStatistics,
  readForeignKeys,
} from './read-constraints.js';
import { readIndexes } from './read-indexes.js';
import {
  readExtensions,
  readFunctions,
  readSchemas,
  readTypes,
  readViews,
} from './read-objects.js';
import { readServer } from './read-server.js';
import { readStatistics, type StatisticsByColumn } from './read-statistics.js';
import { type BareTable, readTables } from './read-tables.js';

/**
 * Reads schema, sizes, statistics and counters of the database in one read-only transaction, as
 * any role of PostgreSQL 13 or newer. No table is read. What the role may not see stands in `gaps`.
 */
export function readCatalog(connection: Connection, limits?: ReadLimits): Promise<Catalog> {
  return readOnly(connection, () => read(connection), limits);
}

async function read(connection: Connection): Promise<Catalog> {
  // Definitions name objects with their schema when nothing is found without.
  const server = await readServer(connection);
  await connection.query(`SELECT set_config('search_path', '', true)`);
  const statistics = await readStatistics(connection, server.majorVersion);
  const bare = await readTables(connection);
  const columns = byTable(await readColumns(connection));
  const parts = {
    indexes: await readIndexes(connection, statistics),
    foreignKeys: byTable(await readForeignKeys(connection)),
    checks: byTable(await readChecks(connection)),
    extendedStatistics: byTable(await readExtendedStatistics(connection)),
  };
  const read = bare.map((table) => ({
    table,
    columns: (columns.get(table.oid) ?? []).map((row) => columnOf(row, table, statistics)),
  }));
  return {
    server,
    schemas: await readSchemas(connection),
    extensions: await readExtensions(connection),
    types: await readTypes(connection),
    functions: await readFunctions(connection),
    tables: read.map(({ table, columns }) => tableOf(table, columns, parts)),
    views: await readViews(connection),
    gaps: read.flatMap(({ table, columns }) => gapsOf(table, columns)),
  };
}

interface Parts {
  readonly indexes: ReadonlyMap<number, Table['indexes']>;
  readonly foreignKeys: ReadonlyMap<number, Table['foreignKeys']>;
  readonly checks: ReadonlyMap<number, Table['checks']>;
  readonly extendedStatistics: ReadonlyMap<number, Table['extendedStatistics']>;
}

function tableOf(table: BareTable, columns: readonly ReadColumn[], parts: Parts): Table {
  return {
    ...table,
    columns,
    indexes: parts.indexes.get(table.oid) ?? [],
    foreignKeys: parts.foreignKeys.get(table.oid) ?? [],
    checks: parts.checks.get(table.oid) ?? [],
    extendedStatistics: parts.extendedStatistics.get(table.oid) ?? [],
  };
}

function columnOf(
  column: ColumnRow,
  { schema, name }: BareTable,
  statistics: StatisticsByColumn,
): ReadColumn {
  return {
    ...column,
    statistics: statistics.of(schema, name, column.name),
    inheritedStatistics: statistics.of(schema, name, column.name, true),
  };
}

function byTable<Item>(
  items: readonly OfTable<Item>[],
): ReadonlyMap<number, readonly OfTable<Item>[]> {
  const groups = new Map<number, OfTable<Item>[]>();
  for (const item of items) {
    const group = groups.get(item.tableOid);
    if (group === undefined) groups.set(item.tableOid, [item]);
    else group.push(item);
  }
  return groups;
}
