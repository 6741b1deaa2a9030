import type { Catalog, ForeignKey, Table } from '../catalog/catalog.js';
import type { Finding } from '../finding.js';
import { quoteName } from '../what-if/candidate-index.js';
import { leavesOf, serves, shownName } from './index-facts.js';

/** Below this many rows reading a whole table is as fast. */
const MIN_ROWS = 1000;

/**
 * Foreign keys whose rows no index finds: each deleted or renumbered row of the other table reads
 * this table from end to end, and holds its locks meanwhile.
 */
export function findMissingForeignKeyIndexes(catalog: Catalog): readonly Finding[] {
  return catalog.tables.flatMap((table) =>
    table.foreignKeys
      .filter((key) => !table.indexes.some((index) => serves(index, key)))
      .flatMap((key) => findingOf(table, key, catalog) ?? []),
  );
}

function findingOf(table: Table, key: ForeignKey, catalog: Catalog): Finding | undefined {
  const rows = leavesOf(table, catalog).reduce((sum, { size }) => sum + size.rows, 0);
  if (rows < MIN_ROWS) return undefined;
  const referenced = catalog.tables.find(
    ({ schema, name }) => schema === key.referencedSchema && name === key.referencedTable,
  );
  const deletes = referenced?.activity.deletes ?? 0;
  const columns = key.columns.map((column) => quoteName(column)).join(', ');
  const on = `${quoteName(table.schema)}.${quoteName(table.name)}`;
  const how = table.kind === 'partitioned' ? '' : ' CONCURRENTLY';
  return {
    code: 'foreign-key-without-index',
    object: `${shownName(table)}.${key.columns.join(',')}`,
    why:
      `No index finds the rows of ${table.name} that refer to a row of ${key.referencedTable} ` +
      `(${key.name}, on delete ${key.onDelete}), so each delete there reads all ${Math.round(rows)} ` +
      `rows${deletes === 0 ? '; so far there were no deletes' : ''}.`,
    evidence: {
      foreignKey: key.name,
      rows: Math.round(rows),
      bytes: table.size.bytes,
      onDelete: key.onDelete,
      deletesOfReferenced: deletes,
    },
    remedy: [`CREATE INDEX${how} ON ${on} (${columns})`],
    confidence: deletes > 0 ? 'certain' : 'check',
  };
}
