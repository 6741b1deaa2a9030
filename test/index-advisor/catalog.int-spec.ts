import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Catalog, connectionOf, openWhatIfPlanner, readCatalog } from '#libs/index-advisor';
import { createTextDatabase, type TextDatabase } from './text-database.js';

let database: TextDatabase;
let catalog: Catalog;
let workFolder: string;

beforeAll(async () => {
  workFolder = await mkdtemp(join(tmpdir(), 'what-if-'));
  database = await createTextDatabase();
  await database.client.query(SCHEMA);
  await failToBuild(database.client);
  await database.client.query('VACUUM ANALYZE');
  await database.client.query('SELECT pg_stat_force_next_flush()');
  catalog = await readCatalog(connectionOf(database.client));
}, 120_000);

afterAll(async () => {
  await database.close();
  await rm(workFolder, { recursive: true, force: true });
});

describe('a catalog', () => {
  it('has tables with their columns, rows and sizes', () => {
    const people = tableOf('people');

    expect(people.size).toMatchObject({ rows: 3000, analysedRows: 3000 });
    expect(people.size.pages).toBe(people.size.analysedPages);
    expect(people.activity.inserts).toBe(3000);
    expect(people.columns.map(({ name, type, baseType }) => [name, type, baseType])).toEqual([
      ['id', 'integer', 'int4'],
      ['Name', 'character varying(80)', 'varchar'],
      ['mail', 'public.mail', 'text'],
      ['mood', 'public.mood', 'mood'],
      ['boss_id', 'integer', 'int4'],
    ]);
    expect(people.columns[0]?.statistics).toMatchObject({ nullFraction: 0, distinct: -1 });
  });

  it('has indexes with their keys in order, and who needs them', () => {
    const indexes = new Map(tableOf('people').indexes.map((index) => [index.name, index]));

    expect(indexes.get('people_pkey')).toMatchObject({
      isPrimary: true,
      isUnique: true,
      constraint: { name: 'people_pkey', kind: 'primary key', isReferenced: true },
    });
    expect(indexes.get('people_names')).toMatchObject({
      method: 'btree',
      isValid: true,
      include: ['mail'],
      where: 'boss_id IS NOT NULL',
      keys: [
        {
          column: 'Name',
          direction: 'desc',
          nulls: 'last',
          opclass: 'pg_catalog.varchar_pattern_ops',
        },
        { column: undefined, expression: 'lower(mail::text)', direction: 'asc', nulls: 'last' },
      ],
    });
    expect(indexes.get('people_names')?.keys[1]?.statistics).toBeDefined();
    expect(indexes.get('people_broken')).toMatchObject({ isValid: false });
  });

  it('has foreign keys, checks, partitions and views', () => {
    expect(tableOf('people').foreignKeys).toEqual([
      expect.objectContaining({
        columns: ['boss_id'],
        referencedTable: 'people',
        referencedColumns: ['id'],
        onDelete: 'set null',
      }),
    ]);
    expect(tableOf('people').checks).toEqual([
      expect.objectContaining({ name: 'positive', isValidated: true }),
    ]);
    expect(tableOf('log').partitioning.key).toBe('LIST (kind)');
    expect(tableOf('log_a').partitioning).toEqual({
      parents: [tableOf('log').oid],
      bound: "FOR VALUES IN ('a')",
    });
    expect(catalog.views.map(({ name }) => name)).toEqual(['glad', 'glad_names']);
    expect(catalog.functions.map(({ name }) => name)).toEqual(['initial']);
  });

  it('tells that text does not sort by bytes', () => {
    expect(catalog.server.sortsByBytes).toBe(false);
  });

  it('leaves the session as it was', async () => {
    const { rows } = await database.client.query('SHOW search_path');
    expect(rows).toEqual([{ search_path: '"$user", public' }]);
  });
});

describe('a copy of a catalog', () => {
  it('plans as the language of the database demands, with views, functions and types', async () => {
    const planner = await openWhatIfPlanner(catalog, { workFolder });
    try {
      expect(planner.differences).toEqual([
        expect.objectContaining({ kind: 'row-security', subject: 'public.hidden' }),
        expect.objectContaining({ kind: 'extension-missing', subject: 'postgres_fdw' }),
      ]);
      const sql = `SELECT id FROM people WHERE "Name" LIKE 'n12%'`;
      const plain = { schema: 'public', table: 'people', method: 'btree' } as const;
      const byPattern = { column: 'Name', opclass: 'varchar_pattern_ops' };

      const withPlain = await planner.explain(sql, [{ ...plain, keys: [{ column: 'Name' }] }]);
      const withPattern = await planner.explain(sql, [{ ...plain, keys: [byPattern] }]);
      const ofView = await planner.explain(
        `SELECT * FROM glad_names WHERE initial("Name") = 'n' AND mood = 'glad'`,
      );

      expect(withPlain.usedCandidates).toEqual([]);
      expect(withPattern.usedCandidates).toHaveLength(1);
      expect(ofView.root.relation?.name).toBe('people');
    } finally {
      await planner.close();
    }
  }, 60_000);

  it('plans a table with a type that the planner does not have, and says so', async () => {
    const people = tableOf('people');
    const columns = people.columns.map((column) =>
      column.name === 'mood' ? Object.assign({ ...column }, { type: 'public.vector(3)' }) : column,
    );
    const planner = await openWhatIfPlanner(
      {
        ...catalog,
        views: [],
        tables: catalog.tables.map((table) =>
          table === people ? Object.assign({ ...people }, { columns }) : table,
        ),
      },
      { workFolder },
    );
    try {
      expect(planner.differences).toContainEqual(
        expect.objectContaining({ kind: 'type-missing', subject: 'public.vector(3)' }),
      );
      const plan = await planner.explain('SELECT * FROM people WHERE id = 7');
      expect(plan.usedIndexes).toEqual(['people_pkey']);
    } finally {
      await planner.close();
    }
  }, 60_000);
});

function tableOf(name: string): Catalog['tables'][number] {
  const table = catalog.tables.find((other) => other.name === name);
  if (table === undefined) throw new Error(`No table ${name}.`);
  return table;
}

/** Leaves an invalid index behind, as values are not unique. */
async function failToBuild(client: Client): Promise<void> {
  const build = client.query('CREATE UNIQUE INDEX CONCURRENTLY people_broken ON people (mood)');
  await expect(build).rejects.toMatchObject({ code: '23505' });
}

const SCHEMA = `
  CREATE EXTENSION postgres_fdw;
  CREATE TYPE mood AS ENUM ('glad', 'sad');
  CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%');
  CREATE FUNCTION initial(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT left($1, 1)';
  CREATE TABLE people (
    id int PRIMARY KEY CONSTRAINT positive CHECK (id > 0), "Name" varchar(80) NOT NULL, mail mail,
    mood mood, boss_id int REFERENCES people ON DELETE SET NULL);
  CREATE INDEX people_names
    ON people ("Name" varchar_pattern_ops DESC NULLS LAST, lower(mail)) INCLUDE (mail)
    WHERE boss_id IS NOT NULL;
  CREATE VIEW glad AS SELECT * FROM people WHERE mood = 'glad';
  CREATE VIEW glad_names AS SELECT "Name", mood FROM glad;
  CREATE TABLE log (kind text, at timestamptz) PARTITION BY LIST (kind);
  CREATE TABLE log_a PARTITION OF log FOR VALUES IN ('a');
  CREATE TABLE hidden (id int);
  ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
  INSERT INTO people SELECT i, 'n' || i, 'm' || i || '@x', (ARRAY['glad', 'sad'])[1 + i % 2]::mood,
    CASE WHEN i > 1 THEN 1 END FROM generate_series(1, 3000) i`;
