import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was changed in the cache at run time and is to last. Logged, unlike the entries. */
export class CacheOverrides1790000400301 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE cache_override (
        name text PRIMARY KEY,
        value jsonb NOT NULL,
        updated_at timestamptz NOT NULL,
        updated_by uuid
      );
      COMMENT ON COLUMN cache_override.name IS
        'A live setting such as cache.l1MaxBytes, or namespace: and the name of one';`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE cache_override');
  }
}
