import type { Catalog, Column, Table } from '../catalog/catalog.js';
import type { CatalogIndex } from '../catalog/catalog-index.js';
import { quoteName } from './candidate-index.js';

/** A statement of the copy's schema and the object it makes, for reports. */
export interface SchemaStep {
  readonly sql: string;
  readonly subject: string;
}

/** A table's name as SQL. */
export function tableName({ schema, name }: { schema: string; name: string }): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}

/** Schemas first; whatever else needs them. */
export function schemaSteps({ schemas }: Catalog): readonly SchemaStep[] {
  return schemas.map((name) => ({
    sql: `CREATE SCHEMA IF NOT EXISTS ${quoteName(name)}`,
    subject: name,
  }));
}

/**
 * Collations that the copy may lack. It knows no languages, but what the planner asks of a
 * collation is whether it sorts by bytes, and none of those that can be named here does.
 */
export function collationSteps({ tables }: Catalog): readonly SchemaStep[] {
  const named = tables.flatMap(({ columns, indexes }) => [
    ...columns.map(({ collation }) => collation),
    ...indexes.flatMap(({ keys }) => keys.map(({ collation }) => collation)),
  ]);
  return [...new Set(named)]
    .filter((collation) => collation !== undefined)
    .map((collation) => ({
      sql: `CREATE COLLATION IF NOT EXISTS ${collation} (provider = libc, locale = 'en_US.UTF-8')`,
      subject: collation,
    }));
}

/** Types, tables, functions and views, which may need each other in any order. */
export function objectSteps(catalog: Catalog): readonly SchemaStep[] {
  const { types, tables, functions, views } = catalog;
  return [
    ...types.map((type) => ({ sql: type.definition, subject: `${type.schema}.${type.name}` })),
    ...tables.map((table) => ({ sql: createTable(table), subject: subjectOf(table) })),
    ...functions.map(({ schema, name, definition }) => ({
      sql: definition,
      subject: `${schema}.${name}`,
    })),
    ...views.map(({ schema, name, definition }) => ({
      sql: definition,
      subject: `${schema}.${name}`,
    })),
  ];
}

/** Inheritance and partitions, the parents of which exist by now. */
export function attachSteps({ tables }: Catalog): readonly SchemaStep[] {
  const byOid = new Map(tables.map((table) => [table.oid, table]));
  return tables.flatMap((table) =>
    table.partitioning.parents.flatMap((oid) => {
      const parent = byOid.get(oid);
      if (parent === undefined) return [];
      const { bound } = table.partitioning;
      const sql =
        bound === undefined
          ? `ALTER TABLE ${tableName(table)} INHERIT ${tableName(parent)}`
          : `ALTER TABLE ${tableName(parent)} ATTACH PARTITION ${tableName(table)} ${bound}`;
      return [{ sql, subject: subjectOf(table) }];
    }),
  );
}

/** Indexes with the constraints that own them, and then which belongs to which parent. */
export function indexSteps({ tables }: Catalog): readonly SchemaStep[] {
  const indexes = tables.flatMap((table) => table.indexes.map((index) => ({ table, index })));
  const byOid = new Map(indexes.map(({ index }) => [index.oid, index]));
  const attached = indexes.flatMap(({ index }) => {
    const parent = index.parentOid === undefined ? undefined : byOid.get(index.parentOid);
    return parent === undefined ? [] : [{ index, parent }];
  });
  return [
    ...indexes.map(({ table, index }) => ({
      sql: createIndex(table, index),
      subject: subjectOf(index),
    })),
    ...attached.map(({ index, parent }) => ({
      sql: `ALTER INDEX ${tableName(parent)} ATTACH PARTITION ${tableName(index)}`,
      subject: subjectOf(index),
    })),
  ];
}

/** What estimates rest on beside statistics of columns: keys, checks, statistics objects. */
export function constraintSteps({ tables }: Catalog): readonly SchemaStep[] {
  return tables.flatMap((table) => [
    ...[...table.checks, ...table.foreignKeys].map(({ name, definition }) => ({
      sql: `ALTER TABLE ${tableName(table)} ADD CONSTRAINT ${quoteName(name)} ${definition}`,
      subject: `${subjectOf(table)}.${name}`,
    })),
    ...table.extendedStatistics.map(({ schema, name, definition }) => ({
      sql: definition,
      subject: `${schema}.${name}`,
    })),
  ]);
}

/** `CREATE TABLE` without what plans do not depend on; `known` types only, others as text. */
export function createTable(table: Table, isKnown: (type: string) => boolean = () => true): string {
  const { kind, partitioning, options } = table;
  const columns = table.columns.map((column) => columnClause(column, isKnown(column.type)));
  const partitioned = partitioning.key === undefined ? '' : ` PARTITION BY ${partitioning.key}`;
  const storage = kind === 'table' && options.length > 0 ? ` WITH (${options.join(', ')})` : '';
  return `CREATE TABLE ${tableName(table)} (${columns.join(', ')})${partitioned}${storage}`;
}

function columnClause(column: Column, isKnown: boolean): string {
  const { name, type, collation, virtualExpression, isNotNull } = column;
  return [
    quoteName(name),
    isKnown ? type : 'text',
    ...(collation === undefined || !isKnown ? [] : [`COLLATE ${collation}`]),
    ...(virtualExpression === undefined
      ? []
      : [`GENERATED ALWAYS AS (${virtualExpression}) VIRTUAL`]),
    ...(isNotNull ? ['NOT NULL'] : []),
  ].join(' ');
}

function createIndex(table: Table, index: CatalogIndex): string {
  const { constraint, definition } = index;
  if (constraint === undefined) return definition;
  // The index of a partition is its own, and becomes part of its parent's afterwards.
  const only = table.kind === 'partitioned' ? 'ONLY ' : '';
  const name = quoteName(constraint.name);
  return `ALTER TABLE ${only}${tableName(table)} ADD CONSTRAINT ${name} ${constraint.definition}`;
}

function subjectOf({ schema, name }: { schema: string; name: string }): string {
  return `${schema}.${name}`;
}
