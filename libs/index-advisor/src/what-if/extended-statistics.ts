import type { Catalog, Table } from '../catalog/catalog.js';
import type { ExtendedStatistics } from '../catalog/column-statistics.js';
import type { Step } from './planning-worker.js';

// The formats of mvdistinct.c and dependencies.c, the same from PostgreSQL 10 to 18.
const DISTINCT_MAGIC = 0xa352bfa4;
const DEPENDENCIES_MAGIC = 0xb4549a2c;
const BASIC_TYPE = 1;

/** PostgreSQL 18 has no function that imports these, but takes their bytes once told so. */
const CASTS: readonly Step[] = ['pg_ndistinct', 'pg_dependencies'].map((type) => ({
  sql: `CREATE CAST (bytea AS ${type}) WITHOUT FUNCTION`,
}));

/** Counts of distinct combinations and dependencies of columns, of statistics objects. */
export function extendedStatisticsSteps({ tables }: Catalog): readonly Step[] {
  const imports = tables.flatMap((table) =>
    table.extendedStatistics.flatMap((statistics) => importSteps(table, statistics)),
  );
  return imports.length === 0 ? [] : [...CASTS, ...imports];
}

/** A combination of columns by their numbers, and its count or degree. */
interface Item {
  readonly numbers: readonly number[];
  readonly value: number;
}

/** Distinct combinations as bytes, in hexadecimal. */
export function distinctBytes(items: readonly Item[]): string {
  return serialize(DISTINCT_MAGIC, items, 4);
}

/** Dependencies as bytes, in hexadecimal; the last column depends on the others. */
export function dependencyBytes(items: readonly Item[]): string {
  return serialize(DEPENDENCIES_MAGIC, items, 2);
}

function importSteps(table: Table, statistics: ExtendedStatistics): readonly Step[] {
  const { schema, name, distinct, dependencies } = statistics;
  if (distinct.size + dependencies.size === 0) return [];
  const literal = (bytes: string, count: number) => (count === 0 ? 'NULL' : `'\\x${bytes}'`);
  const counted = literal(distinctBytes(itemsOf(table, distinct)), distinct.size);
  const depending = literal(dependencyBytes(itemsOf(table, dependencies)), dependencies.size);
  return [
    {
      sql: `INSERT INTO pg_statistic_ext_data (stxoid, stxdinherit, stxdndistinct, stxddependencies)
        SELECT e.oid, $1::text::boolean, (${counted})::bytea::pg_ndistinct,
          (${depending})::bytea::pg_dependencies
        FROM pg_statistic_ext e JOIN pg_namespace n ON n.oid = e.stxnamespace
        WHERE n.nspname = $2::text AND e.stxname = $3::text`,
      parameters: [String(table.kind === 'partitioned'), schema, name],
    },
  ];
}

/** Columns have in the copy the numbers of their order, as none was ever dropped there. */
function itemsOf({ columns }: Table, values: ReadonlyMap<string, number>): readonly Item[] {
  const numbers = new Map(columns.map(({ name }, position) => [name, position + 1]));
  return [...values].map(([names, value]) => ({
    numbers: (JSON.parse(names) as string[]).map((name) => numbers.get(name) ?? 0),
    value,
  }));
}

function serialize(magic: number, items: readonly Item[], countBytes: 2 | 4): string {
  const header = Buffer.alloc(12);
  for (const [position, value] of [magic, BASIC_TYPE, items.length].entries()) {
    header.writeUInt32LE(value, position * 4);
  }
  const bodies = items.map(({ numbers, value }) => {
    const body = Buffer.alloc(8 + countBytes + 2 * numbers.length);
    body.writeDoubleLE(value, 0);
    body.writeUIntLE(numbers.length, 8, countBytes);
    for (const [position, number] of numbers.entries()) {
      body.writeInt16LE(number, 8 + countBytes + 2 * position);
    }
    return body;
  });
  return Buffer.concat([header, ...bodies]).toString('hex');
}
