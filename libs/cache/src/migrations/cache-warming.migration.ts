import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tables of warming: the keys read most, how reads spread over the day, what was deployed last. */
export class CacheWarming1790000400201 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE cache_hot_key (
        namespace text NOT NULL,
        key_hash uuid NOT NULL,
        recipe bytea NOT NULL,
        reads double precision NOT NULL,
        read_at timestamptz NOT NULL,
        PRIMARY KEY (namespace, key_hash)
      );
      COMMENT ON COLUMN cache_hot_key.recipe IS
        'the key and the arguments that it came from, encrypted as the entries of the cache are';
      COMMENT ON COLUMN cache_hot_key.reads IS 'as of read_at; halved with every day since';
      CREATE TABLE cache_hour_profile (
        namespace text NOT NULL,
        hour timestamptz NOT NULL,
        reads bigint NOT NULL,
        PRIMARY KEY (namespace, hour)
      );
      CREATE TABLE cache_deployment (
        program text PRIMARY KEY,
        version text NOT NULL,
        deployed_at timestamptz NOT NULL
      );`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE cache_deployment, cache_hour_profile, cache_hot_key;');
  }
}
