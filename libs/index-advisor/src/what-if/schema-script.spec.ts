import { describe, expect, it } from '@jest/globals';
import type { Column, Table } from '../catalog/catalog.js';
import { createTable } from './schema-script.js';

const column = (name: string, type: string, rest: Partial<Column> = {}): Column => ({
  name,
  position: 1,
  type,
  baseType: type,
  typeBytes: -1,
  alignment: 'i',
  isNotNull: false,
  collation: undefined,
  virtualExpression: undefined,
  isIdentity: false,
  statistics: undefined,
  inheritedStatistics: undefined,
  ...rest,
});

const table = (columns: readonly Column[], rest: Partial<Table> = {}): Table => ({
  oid: 1,
  schema: 'Shop',
  name: 'Orders',
  kind: 'table',
  isUnlogged: false,
  hasRowSecurity: false,
  options: [],
  columns,
  indexes: [],
  foreignKeys: [],
  checks: [],
  extendedStatistics: [],
  partitioning: { parents: [] },
  size: {
    pages: 0,
    analysedPages: 0,
    analysedRows: -1,
    allVisiblePages: 0,
    rows: 0,
    bytes: 0,
  },
  activity: {
    sequentialScans: 0,
    indexScans: 0,
    inserts: 0,
    updates: 0,
    hotUpdates: 0,
    deletes: 0,
    liveRows: 0,
    deadRows: 0,
    changesSinceAnalyse: 0,
    lastVacuumAt: undefined,
    lastAnalyseAt: undefined,
  },
  ...rest,
});

describe('a table of the copy', () => {
  it('has what plans depend on', () => {
    const sql = createTable(
      table(
        [
          column('id', 'bigint', { isNotNull: true }),
          column('Name', 'text', { collation: 'pg_catalog."C"' }),
          column('twice', 'bigint', { virtualExpression: 'id * 2' }),
        ],
        { options: ['fillfactor=70'] },
      ),
    );

    expect(sql).toBe(
      'CREATE TABLE "Shop"."Orders" ("id" bigint NOT NULL, "Name" text COLLATE pg_catalog."C", ' +
        '"twice" bigint GENERATED ALWAYS AS (id * 2) VIRTUAL) WITH (fillfactor=70)',
    );
  });

  it('takes text for types that are not known', () => {
    const place = column('place', 'geography(Point,4326)', { collation: undefined });
    expect(createTable(table([place]), () => false)).toContain('("place" text)');
  });

  it('is partitioned as the original', () => {
    const partitioned = table([column('at', 'date')], {
      kind: 'partitioned',
      partitioning: { key: 'RANGE (at)', parents: [] },
    });
    expect(createTable(partitioned)).toMatch(/ PARTITION BY RANGE \(at\)$/);
  });
});
