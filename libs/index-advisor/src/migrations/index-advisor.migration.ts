import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was advised, and each step of what was done about it. */
export class IndexAdvisor1790000500001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE index_analysis (
        id uuid PRIMARY KEY,
        analysed_at timestamptz NOT NULL,
        report jsonb NOT NULL
      );
      CREATE INDEX index_analysis_analysed_at ON index_analysis (analysed_at);
      CREATE TABLE index_change (
        id uuid PRIMARY KEY,
        change_id uuid NOT NULL,
        at timestamptz NOT NULL,
        step text NOT NULL,
        schema_name text NOT NULL,
        table_name text NOT NULL,
        index_name text NOT NULL,
        definition text NOT NULL,
        detail jsonb NOT NULL
      );
      CREATE INDEX index_change_change_id ON index_change (change_id, id);
      COMMENT ON COLUMN index_change.change_id IS 'The same for all steps of one change';
      COMMENT ON COLUMN index_change.definition IS 'The statement that creates the index';`);
    // Counts the statements of all clients. Without the right to it, or where the server does not
    // have it, the recorder of each process has to do.
    await runner.query(`
      DO $$ BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
      EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN NULL;
      END $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE index_change, index_analysis');
  }
}
