import type { DataSource, EntityMetadata } from 'typeorm';
import { toText } from './to-text.js';

type Column = EntityMetadata['columns'][number];

/** A column of a bulk insert: where its value is in a row, and how PostgreSQL reads it. */
export interface PlannedColumn {
  readonly property: string;
  /** Quoted. */
  readonly name: string;
  readonly type: string;
  /** The value as text; null is NULL, undefined: the row has none, and the default counts. */
  readonly read: (row: object) => string | null | undefined;
}

/** A row, and its place in the input from 0. */
export interface NumberedRow {
  readonly index: number;
  readonly row: object;
}

/** Rows that have values for the same columns. */
export interface ColumnGroup {
  readonly columns: readonly PlannedColumn[];
  /** By column, then by row. */
  readonly values: (string | null)[][];
  /** Places in the input. */
  readonly indexes: number[];
}

/** Types whose values TypeORM hands to `pg` as they are. */
const PLAIN = new Set<unknown>([
  String,
  Number,
  'uuid',
  'text',
  'varchar',
  'character varying',
  'int',
  'int2',
  'int4',
  'int8',
  'integer',
  'smallint',
  'bigint',
  'numeric',
  'decimal',
  'real',
  'float',
  'float4',
  'float8',
  'double precision',
  'boolean',
  'bool',
  'enum',
  'citext',
]);
const JSON_TYPES = new Set<unknown>(['json', 'jsonb']);
const INSTANTS = new Set<unknown>(['timestamptz', 'timestamp with time zone']);

/** How the rows of an entity are written without TypeORM's insert. */
export class ColumnPlan {
  /** Quoted, with the schema when the entity names one. */
  readonly table: string;
  readonly columns: readonly PlannedColumn[];

  private constructor(table: string, columns: readonly PlannedColumn[]) {
    this.table = table;
    this.columns = columns;
  }

  static async of(dataSource: DataSource, metadata: EntityMetadata): Promise<ColumnPlan> {
    const table = metadata.tablePath.split('.').map(quoted).join('.');
    const types = await readTypes(dataSource, table);
    const columns = metadata.columns
      .filter((column) => column.isInsert && !column.isVirtual)
      .map((column) => plan(dataSource, metadata, column, types));
    return new ColumnPlan(table, columns);
  }

  /** The quoted names of properties. @throws TypeError for one that is no column */
  namesOf(properties: readonly string[]): string[] {
    return properties.map((property) => {
      const column = this.columns.find((one) => one.property === property);
      if (column === undefined)
        throw new TypeError(`${this.table} has no column for "${property}".`);
      return column.name;
    });
  }

  /** Rows by the columns that they have values for, so that defaults count for the others. */
  group(rows: readonly NumberedRow[]): ColumnGroup[] {
    const groups = new Map<string, ColumnGroup>();
    const { columns } = this;
    const values: (string | null)[] = [];
    const present: PlannedColumn[] = [];
    for (const { index, row } of rows) {
      let mask = '';
      values.length = 0;
      present.length = 0;
      for (const column of columns) {
        const value = column.read(row);
        mask += value === undefined ? '0' : '1';
        if (value === undefined) continue;
        values.push(value);
        present.push(column);
      }
      let group = groups.get(mask);
      if (group === undefined) {
        group = { columns: [...present], values: present.map(() => []), indexes: [] };
        groups.set(mask, group);
      }
      group.indexes.push(index);
      for (let at = 0; at < values.length; at += 1) {
        (group.values[at] as (string | null)[]).push(values[at] as string | null);
      }
    }
    return [...groups.values()];
  }
}

/** The types as the database has them; -1 leaves out lengths, which would cut off silently. */
async function readTypes(dataSource: DataSource, table: string): Promise<Map<string, string>> {
  const rows = await dataSource.query<{ name: string; type: string }[]>(
    `SELECT attname AS name, format_type(atttypid, -1) AS type FROM pg_attribute
     WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    [table],
  );
  return new Map(rows.map(({ name, type }) => [name, type]));
}

function plan(
  dataSource: DataSource,
  metadata: EntityMetadata,
  column: Column,
  types: ReadonlyMap<string, string>,
): PlannedColumn {
  const { driver } = dataSource;
  const { propertyName: property } = column;
  const isBare =
    column.transformer === undefined &&
    column.embeddedMetadata === undefined &&
    column.relationMetadata === undefined &&
    !column.isArray;
  const initial = column.isVersion
    ? '1'
    : column.isDiscriminator
      ? String(metadata.discriminatorValue)
      : undefined;
  const toOwnText = isBare ? textOf(column.type) : undefined;
  return {
    property,
    name: quoted(column.databaseName),
    type: types.get(column.databaseName) ?? 'text',
    read:
      toOwnText === undefined
        ? (row) => {
            const value: unknown = driver.preparePersistentValue(
              column.getEntityValue(row),
              column,
            );
            return value === undefined ? initial : toText(value);
          }
        : (row) => {
            const value = (row as Record<string, unknown>)[property];
            if (value === undefined) return initial;
            return value === null ? null : toOwnText(value);
          },
  };
}

/** For the usual types a way that is shorter than TypeORM's and comes to the same. */
function textOf(type: unknown): ((value: unknown) => string | null) | undefined {
  if (PLAIN.has(type)) return toText;
  if (JSON_TYPES.has(type)) return (value) => JSON.stringify(value);
  if (INSTANTS.has(type)) {
    return (value) => (value instanceof Date ? value.toISOString() : toText(value));
  }
  return undefined;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
