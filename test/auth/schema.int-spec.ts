import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { authEntities, authMigrations } from '#libs/auth';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

interface ColumnRow {
  readonly column: string;
  readonly type: string;
  readonly nullable: boolean;
}

describe('the schema of libs/auth', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());

  it.each(authEntities.map((entity) => [entity.name, entity] as const))(
    'has the columns that %s says, and no others',
    async (_, entity) => {
      const { tableName, columns } = database.dataSource.getMetadata(entity);
      const rows = await database.dataSource.query<ColumnRow[]>(
        `SELECT attribute.attname AS "column", format_type(attribute.atttypid, NULL) AS type,
           NOT attribute.attnotnull AS nullable
         FROM pg_attribute attribute
         WHERE attribute.attrelid = $1::regclass AND attribute.attnum > 0
           AND NOT attribute.attisdropped`,
        [tableName],
      );
      const declared = columns.map(({ databaseName, type, isNullable, isArray }) => ({
        column: databaseName,
        type:
          (type === 'timestamptz' ? 'timestamp with time zone' : String(type)) +
          (isArray ? '[]' : ''),
        nullable: isNullable,
      }));
      const byName = (a: ColumnRow, b: ColumnRow) => a.column.localeCompare(b.column);
      expect(rows.toSorted(byName)).toEqual(declared.toSorted(byName));
    },
  );

  it('can be taken back and made again', async () => {
    const runner = database.dataSource.createQueryRunner();
    const tables = async () => {
      const rows = await runner.query(
        `SELECT tablename FROM pg_tables WHERE schemaname = 'scratch' ORDER BY 1`,
      );
      return rows.length as number;
    };
    try {
      await runner.query('CREATE SCHEMA scratch');
      await runner.query('SET search_path TO scratch');
      const migrations = authMigrations.map((Migration) => new Migration());
      for (let round = 0; round < 2; round += 1) {
        for (const migration of migrations) await migration.up(runner);
        expect(await tables()).toBe(authEntities.length);
        for (const migration of migrations.toReversed()) await migration.down(runner);
        expect(await tables()).toBe(0);
      }
    } finally {
      await runner.query('RESET search_path');
      await runner.release();
    }
  });

  it('deletes all that is of an organization with it', async () => {
    const count = async (table: string) => {
      const [row] = await database.dataSource.query<{ count: number }[]>(
        `SELECT count(*)::integer AS count FROM ${table}`,
      );
      return row?.count;
    };
    await database.dataSource.query(`
      WITH o AS (INSERT INTO organization (id, name) VALUES (gen_random_uuid(), 'o') RETURNING id),
        u AS (INSERT INTO user_account (id, organization_id, email, password_hash)
              SELECT gen_random_uuid(), id, 'u@example.com', '' FROM o RETURNING id),
        r AS (INSERT INTO role (id, organization_id, name)
              SELECT gen_random_uuid(), id, 'r' FROM o RETURNING id),
        h AS (INSERT INTO user_role SELECT u.id, r.id FROM u, r),
        g AS (INSERT INTO permission_grant (id, user_id, resource, action, effect)
              SELECT gen_random_uuid(), id, 'a', 'b', 'allow' FROM u),
        s AS (INSERT INTO user_session (id, user_id, created_at, refreshed_at, expires_at)
              SELECT gen_random_uuid(), id, now(), now(), now() FROM u RETURNING id)
      INSERT INTO refresh_token (id, session_id, token_hash, created_at, expires_at)
      SELECT gen_random_uuid(), id, 'x', now(), now() FROM s`);
    expect(await count('refresh_token')).toBe(1);
    await database.dataSource.query('DELETE FROM organization');
    for (const table of ['user_account', 'user_role', 'user_session', 'refresh_token']) {
      expect([table, await count(table)]).toEqual([table, 0]);
    }
    expect(await count('role')).toBe(3);
  });
});
