import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Cache strategies: how they are configured, where that comes from, and what they are doing. */
export class CacheStrategies1790000400101 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE cache_strategy (
        id uuid PRIMARY KEY,
        name text NOT NULL UNIQUE,
        type text NOT NULL CHECK (type IN ('memory', 'disk', 'distributed', 'hybrid')),
        status text NOT NULL CHECK (status IN ('active', 'disabled', 'optimizing')),
        resume_configuration jsonb,
        resume_status text CHECK (resume_status IN ('active', 'disabled')),
        optimizing_until timestamptz,
        configuration jsonb NOT NULL,
        provenance jsonb NOT NULL,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        last_optimized timestamptz,
        CHECK ((status = 'optimizing') = (resume_status IS NOT NULL)),
        CHECK ((status = 'optimizing') = (optimizing_until IS NOT NULL))
      );
      COMMENT ON COLUMN cache_strategy.resume_status IS
        'Status after the optimisation that is under way';
      COMMENT ON COLUMN cache_strategy.resume_configuration IS
        'Configuration to go back to when the process that optimises it dies';
      COMMENT ON COLUMN cache_strategy.optimizing_until IS
        'After this time the process that optimised it has died';`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE cache_strategy');
  }
}
