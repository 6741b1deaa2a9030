import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the time-outs of sessions are made of; passwords of before, resets, and counted failures. */
export class SessionActivity1790000001040 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE user_session
        ADD COLUMN last_active_at timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN request_count integer NOT NULL DEFAULT 0,
        ADD COLUMN idle_timeout_seconds integer,
        ADD COLUMN important boolean NOT NULL DEFAULT false,
        ADD COLUMN risk text NOT NULL DEFAULT 'normal' CHECK (risk IN ('trusted', 'normal', 'high')),
        ADD COLUMN anomalies text[] NOT NULL DEFAULT '{}',
        ADD COLUMN address text,
        ADD COLUMN user_agent text,
        DROP CONSTRAINT user_session_revoked_because_check,
        ADD CONSTRAINT user_session_revoked_because_check CHECK (
          revoked_because IN ('logout', 'reuse', 'disabled', 'revoked', 'password')
        );
      UPDATE user_session SET last_active_at = refreshed_at;
      CREATE INDEX user_session_user_activity ON user_session (user_id, last_active_at DESC);
      DROP INDEX user_session_user;

      CREATE TABLE password_history (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES user_account ON DELETE CASCADE,
        password_hash text NOT NULL
      );
      CREATE INDEX password_history_user ON password_history (user_id, id DESC);

      CREATE TABLE password_reset (
        token_hash bytea PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES user_account ON DELETE CASCADE,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX password_reset_user ON password_reset (user_id);
      CREATE INDEX password_reset_expires_at ON password_reset (expires_at);

      -- Not logged: what a crash of the server loses is a few minutes of counting.
      CREATE UNLOGGED TABLE auth_failure (
        key text PRIMARY KEY,
        failures integer NOT NULL,
        pending integer NOT NULL,
        resets_at timestamptz NOT NULL
      );
      CREATE INDEX auth_failure_resets_at ON auth_failure (resets_at);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE auth_failure, password_reset, password_history;
      CREATE INDEX user_session_user ON user_session (user_id);
      DROP INDEX user_session_user_activity;
      UPDATE user_session SET revoked_because = 'logout'
        WHERE revoked_because IN ('revoked', 'password');
      ALTER TABLE user_session
        DROP COLUMN last_active_at, DROP COLUMN request_count, DROP COLUMN idle_timeout_seconds,
        DROP COLUMN important, DROP COLUMN risk, DROP COLUMN anomalies, DROP COLUMN address,
        DROP COLUMN user_agent,
        DROP CONSTRAINT user_session_revoked_because_check,
        ADD CONSTRAINT user_session_revoked_because_check CHECK (
          revoked_because IN ('logout', 'reuse', 'disabled')
        );`);
  }
}
