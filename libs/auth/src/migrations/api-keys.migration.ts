import type { MigrationInterface, QueryRunner } from 'typeorm';

/** API keys and their versions. */
export class ApiKeys1790000001031 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE api_key (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES user_account ON DELETE CASCADE,
        name text NOT NULL,
        scope jsonb NOT NULL,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz
      );
      CREATE INDEX api_key_user ON api_key (user_id, id);
      CREATE INDEX api_key_ended_at ON api_key ((least(expires_at, revoked_at)));

      -- Uses are counted here without touching an index, so that the updates stay on their page.
      CREATE TABLE api_key_version (
        lookup_id text PRIMARY KEY,
        key_id uuid NOT NULL REFERENCES api_key ON DELETE CASCADE,
        version integer NOT NULL,
        key_hash bytea NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        use_count bigint NOT NULL DEFAULT 0,
        last_used_at timestamptz,
        last_used_address text,
        CONSTRAINT api_key_version_once UNIQUE (key_id, version)
      ) WITH (fillfactor = 80);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE api_key_version, api_key');
  }
}
