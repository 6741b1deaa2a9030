import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The preloading of memories by user; and the sources of a name whoever owns them. */
export class MemoryPreload1790000002002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE INDEX context_source_name ON context_source (organization_id, name)',
    );
    await runner.query(`
      CREATE TABLE memory_preload (
        user_id uuid PRIMARY KEY,
        organization_id uuid NOT NULL,
        config jsonb,
        job_id text,
        requested_at timestamptz(3),
        loaded_at timestamptz(3),
        duration_ms real,
        rows jsonb
      )`);
    await runner.query(`
      CREATE INDEX memory_preload_auto ON memory_preload (user_id)
      WHERE (config ->> 'auto')::boolean`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE memory_preload');
    await runner.query('DROP INDEX context_source_name');
  }
}
