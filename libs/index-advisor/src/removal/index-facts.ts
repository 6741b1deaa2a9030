import type { Catalog, ForeignKey, Table } from '../catalog/catalog.js';
import type { CatalogIndex, IndexKey } from '../catalog/catalog-index.js';
import { type CandidateIndex, type IndexMethod, quoteName } from '../what-if/candidate-index.js';

/** An index with the table that it is on. */
export interface PlacedIndex {
  readonly index: CatalogIndex;
  readonly table: Table;
}

/** Every index of a catalog, those that belong to a partitioned index left out. */
export function topIndexes(catalog: Catalog): readonly PlacedIndex[] {
  return catalog.tables.flatMap((table) =>
    table.indexes
      .filter(({ parentOid }) => parentOid === undefined)
      .map((index) => ({ index, table })),
  );
}

/** An index with the indexes on partitions that belong to it, at any depth. */
export function familyOf(index: CatalogIndex, catalog: Catalog): readonly CatalogIndex[] {
  const children = catalog.tables.flatMap(({ indexes }) =>
    indexes.filter(({ parentOid }) => parentOid === index.oid),
  );
  return [index, ...children.flatMap((child) => familyOf(child, catalog))];
}

/** Scans of an index and of its parts; the index of a partitioned table is never scanned itself. */
export function scansOf(index: CatalogIndex, catalog: Catalog): number {
  return familyOf(index, catalog).reduce((sum, { activity }) => sum + activity.scans, 0);
}

/** Bytes of an index and of its parts. */
export function bytesOf(index: CatalogIndex, catalog: Catalog): number {
  return familyOf(index, catalog).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A table and its partitions or children, at any depth. */
export function leavesOf(table: Table, catalog: Catalog): readonly Table[] {
  const children = catalog.tables.filter(({ partitioning }) =>
    partitioning.parents.includes(table.oid),
  );
  return [table, ...children.flatMap((child) => leavesOf(child, catalog))];
}

/**
 * Why an index must stay whatever its use: something other than the speed of reads depends on it.
 * Empty when nothing does.
 */
export function whatNeeds({ index, table }: PlacedIndex, catalog: Catalog): readonly string[] {
  const { constraint } = index;
  const reasons: string[] = [];
  if (constraint !== undefined) {
    const referenced = constraint.isReferenced ? ', to which foreign keys refer' : '';
    reasons.push(`it enforces the ${constraint.kind} ${constraint.name}${referenced}`);
  } else if (index.isUnique) reasons.push('it keeps its keys unique');
  if (index.isReplicaIdentity) reasons.push('logical replication identifies rows by it');
  if (index.isClustered) reasons.push('the table is clustered by it');
  if (index.parentOid !== undefined) reasons.push('it belongs to the index of a partitioned table');
  if (index.isUnique && index.constraint === undefined && isReferenced(index, table, catalog)) {
    reasons.push('a foreign key may refer to its columns');
  }
  return reasons;
}

function isReferenced(index: CatalogIndex, table: Table, catalog: Catalog): boolean {
  const columns = index.keys.map(({ column }) => column ?? '').toSorted();
  return catalog.tables.some(({ foreignKeys }) =>
    foreignKeys.some(
      (key) =>
        key.referencedSchema === table.schema &&
        key.referencedTable === table.name &&
        sameList(key.referencedColumns.toSorted(), columns),
    ),
  );
}

/** Foreign keys of the table whose rows PostgreSQL looks up by this index when a parent changes. */
export function foreignKeysServed({ index, table }: PlacedIndex): readonly ForeignKey[] {
  return table.foreignKeys.filter((key) => serves(index, key));
}

/** Whether an index finds the rows that refer to one row of the other table. */
export function serves(index: CatalogIndex, { columns }: ForeignKey): boolean {
  if (!index.isValid || !isNotNullOnly(index.where, columns)) return false;
  if (index.method !== 'btree' && !(index.method === 'hash' && columns.length === 1)) return false;
  const leading = index.keys.slice(0, columns.length).map(({ column }) => column ?? '');
  return sameList(leading.toSorted(), columns.toSorted());
}

/** Rows with NULL refer to nothing, so a predicate that leaves them out does no harm. */
function isNotNullOnly(where: string | undefined, columns: readonly string[]): boolean {
  if (where === undefined) return true;
  return columns.some((column) =>
    [column, quoteName(column)].some((name) =>
      [`${name} IS NOT NULL`, `(${name} IS NOT NULL)`].includes(where),
    ),
  );
}

/** A key with its order, operator class and collation, as a text to compare. */
export function keyText(key: IndexKey): string {
  return JSON.stringify([
    key.expression,
    key.direction,
    key.nulls,
    key.opclass ?? '',
    key.collation ?? '',
  ]);
}

/** An index that exists as the candidate that would build it. */
export function asCandidate({ index, table }: PlacedIndex): CandidateIndex {
  return {
    schema: table.schema,
    table: table.name,
    method: index.method as IndexMethod,
    keys: index.keys.map((key) => ({
      ...(key.column === undefined ? { expression: key.expression } : { column: key.column }),
      direction: key.direction,
      nulls: key.nulls,
      ...(key.opclass === undefined ? {} : { opclass: key.opclass }),
      ...(key.collation === undefined ? {} : { collation: key.collation }),
    })),
    ...(index.include.length === 0 ? {} : { include: index.include }),
    ...(index.where === undefined ? {} : { where: index.where }),
  };
}

/** The statement that removes an index; on partitioned tables it cannot be done concurrently. */
export function dropStatement({ index, table }: PlacedIndex): string {
  const how = table.kind === 'partitioned' ? '' : ' CONCURRENTLY';
  return `DROP INDEX${how} ${quoteName(index.schema)}.${quoteName(index.name)}`;
}

/** `schema.name`, for people. */
export function shownName({ schema, name }: { schema: string; name: string }): string {
  return `${schema}.${name}`;
}

export function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, position) => item === other[position]);
}
