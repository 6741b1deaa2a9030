import type { Catalog, Column, Table } from '../catalog/catalog.js';
import type { Finding } from '../finding.js';
import { shownName } from '../removal/index-facts.js';
import { quoteName } from '../what-if/candidate-index.js';
import { arrayElements } from '../what-if/size/array-literal.js';

/** Below this many rows statistics say too little about what a column will hold. */
const MIN_ROWS = 1000;
const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
/** Values that must all be UUIDs before anything is said. */
const MIN_VALUES = 20;

interface PlacedColumn {
  readonly table: Table;
  readonly column: Column;
}

/** Types that lose something or cost more than another, and columns that could be NOT NULL. */
export function adviseColumns(catalog: Catalog): readonly Finding[] {
  const placed = catalog.tables
    .filter(
      ({ kind, partitioning }) => kind !== 'foreign table' && partitioning.bound === undefined,
    )
    .filter(({ kind }) => kind !== 'materialized view')
    .flatMap((table) => table.columns.map((column) => ({ table, column })));
  return [
    ...placed.flatMap((each) => withoutTimeZone(each) ?? []),
    ...placed.flatMap((each) => uuidAsText(each) ?? []),
    ...placed.flatMap((each) => lengthLimited(each) ?? []),
    ...catalog.tables.flatMap((table) => neverNull(table) ?? []),
  ];
}

function withoutTimeZone({ table, column }: PlacedColumn): Finding | undefined {
  if (column.baseType !== 'timestamp') return undefined;
  return {
    code: 'timestamp-without-time-zone',
    object: shownColumn(table, column),
    why:
      `${column.name} does not say of which time zone its times are: sessions with another ` +
      'TimeZone read other moments, and an hour a year is missing or twice there.',
    evidence: { type: column.type },
    remedy: [
      `ALTER TABLE ${tableName(table)} ALTER COLUMN ${quoteName(column.name)} ` +
        `TYPE timestamptz USING ${quoteName(column.name)} AT TIME ZONE 'UTC'`,
    ],
    confidence: 'check',
  };
}

function uuidAsText({ table, column }: PlacedColumn): Finding | undefined {
  if (!['text', 'varchar', 'bpchar'].includes(column.baseType)) return undefined;
  const values = column.statistics?.values.reveal();
  const sample = [values?.mostCommonValues, values?.histogramBounds].flatMap((literal) =>
    literal === undefined ? [] : arrayElements(literal),
  );
  if (sample.length < MIN_VALUES || !sample.every((value) => UUID.test(String(value)))) {
    return undefined;
  }
  return {
    code: 'uuid-as-text',
    object: shownColumn(table, column),
    why:
      `All ${sample.length} values of ${column.name} that the statistics know are UUIDs. The type ` +
      'uuid takes 16 bytes in place of 37, in the table and in every index, and compares faster.',
    evidence: {
      type: column.type,
      valuesSeen: sample.length,
      averageBytes: column.statistics?.averageWidth ?? null,
    },
    remedy: [
      `ALTER TABLE ${tableName(table)} ALTER COLUMN ${quoteName(column.name)} ` +
        `TYPE uuid USING ${quoteName(column.name)}::uuid`,
    ],
    confidence: 'check',
  };
}

function lengthLimited({ table, column }: PlacedColumn): Finding | undefined {
  if (column.baseType === 'bpchar' && column.type.startsWith('character(')) {
    return {
      code: 'padded-text',
      object: shownColumn(table, column),
      why: `${column.type} stores blanks up to its length, and compares as if they were not there.`,
      evidence: { type: column.type, averageBytes: column.statistics?.averageWidth ?? null },
      remedy: [`ALTER TABLE ${tableName(table)} ALTER COLUMN ${quoteName(column.name)} TYPE text`],
      confidence: 'check',
    };
  }
  const [, limit] = /^character varying\((\d+)\)$/.exec(column.type) ?? [];
  if (limit === undefined) return undefined;
  return {
    code: 'length-limited-text',
    object: shownColumn(table, column),
    why:
      `A length in the type is no faster than text, and a shorter one rewrites the table. A CHECK ` +
      'says the same and can be changed without a rewrite.',
    evidence: { type: column.type, averageBytes: column.statistics?.averageWidth ?? null },
    remedy: [
      `ALTER TABLE ${tableName(table)} ALTER COLUMN ${quoteName(column.name)} TYPE text`,
      `ALTER TABLE ${tableName(table)} ADD CHECK (length(${quoteName(column.name)}) <= ${limit})`,
    ],
    confidence: 'check',
  };
}

function neverNull(table: Table): Finding | undefined {
  if (table.kind !== 'table' || table.partitioning.bound !== undefined) return undefined;
  if (table.size.analysedRows < MIN_ROWS) return undefined;
  const columns = table.columns.filter(
    ({ isNotNull, statistics, virtualExpression }) =>
      !isNotNull && virtualExpression === undefined && statistics?.nullFraction === 0,
  );
  if (columns.length === 0) return undefined;
  const on = tableName(table);
  return {
    code: 'nullable-without-null',
    object: `${shownName(table)}.${columns.map(({ name }) => name).join(',')}`,
    why:
      'The sample of the statistics holds no NULL. NOT NULL states it, spares readers a case, and ' +
      'lets the planner turn NOT IN and outer joins into cheaper ones.',
    evidence: { rows: table.size.analysedRows, columns: columns.length, nullFraction: 0 },
    // Validation reads the table without holding writers up; SET NOT NULL then needs no scan.
    remedy: columns.flatMap(({ name }) => {
      const check = quoteName(`${table.name}_${name}_not_null`.slice(0, 63));
      return [
        `ALTER TABLE ${on} ADD CONSTRAINT ${check} CHECK (${quoteName(name)} IS NOT NULL) NOT VALID`,
        `ALTER TABLE ${on} VALIDATE CONSTRAINT ${check}`,
        `ALTER TABLE ${on} ALTER COLUMN ${quoteName(name)} SET NOT NULL`,
        `ALTER TABLE ${on} DROP CONSTRAINT ${check}`,
      ];
    }),
    confidence: 'check',
  };
}

function shownColumn(table: Table, { name }: Column): string {
  return `${shownName(table)}.${name}`;
}

function tableName({ schema, name }: Table): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}
