import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tables of the cache. All are UNLOGGED: a crash of the database empties them, which costs loads and
 * nothing else, because the clock of the versions is a sequence, and that never steps back.
 */
export class CacheTables1790000400001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE UNLOGGED TABLE cache_entry (
        key_hash uuid PRIMARY KEY,
        value bytea,
        fence text NOT NULL DEFAULT '',
        expires_at timestamptz NOT NULL
      );
      COMMENT ON COLUMN cache_entry.value IS 'NULL in a row that only remembers a deletion';
      CREATE INDEX cache_entry_expires_at ON cache_entry (expires_at);
      CREATE SEQUENCE cache_clock;
      -- A sequence that was never asked shows its first value as if it had been given out.
      SELECT nextval('cache_clock');
      CREATE UNLOGGED TABLE cache_version (
        name_hash uuid PRIMARY KEY,
        version bigint NOT NULL,
        used_on date NOT NULL DEFAULT current_date
      );
      CREATE INDEX cache_version_used_on ON cache_version (used_on);
      CREATE UNLOGGED TABLE cache_node (
        id text NOT NULL,
        channel text NOT NULL,
        seen_at timestamptz NOT NULL,
        PRIMARY KEY (channel, id)
      );
      CREATE UNLOGGED TABLE cache_lease (
        key_hash uuid PRIMARY KEY,
        owner text NOT NULL,
        expires_at timestamptz NOT NULL
      );`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE cache_lease, cache_node, cache_version, cache_entry;
      DROP SEQUENCE cache_clock;`);
  }
}
