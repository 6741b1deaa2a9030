import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Clients of OAuth 2.0, the accounts that they act by, and what their sessions are limited to. */
export class OAuthClients1790000001021 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE user_account
        ADD COLUMN kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'service')),
        ALTER COLUMN password_hash DROP NOT NULL,
        ADD CONSTRAINT user_account_password CHECK ((kind = 'person') = (password_hash IS NOT NULL));

      CREATE TABLE oauth_client (
        id uuid PRIMARY KEY,
        organization_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
        name text NOT NULL,
        type text NOT NULL CHECK (type IN ('confidential', 'public')),
        grant_types text[] NOT NULL,
        redirect_uris text[] NOT NULL,
        scopes text[] NOT NULL,
        shared boolean NOT NULL DEFAULT false,
        service_user_id uuid REFERENCES user_account ON DELETE SET NULL,
        secret_hash bytea,
        previous_secret_hash bytea,
        previous_secret_expires_at timestamptz,
        disabled_at timestamptz,
        created_at timestamptz NOT NULL,
        CHECK ((type = 'confidential') = (secret_hash IS NOT NULL)),
        CHECK ((previous_secret_hash IS NULL) = (previous_secret_expires_at IS NULL))
      );
      CREATE INDEX oauth_client_organization ON oauth_client (organization_id, id);
      CREATE UNIQUE INDEX oauth_client_service_user ON oauth_client (service_user_id);

      ALTER TABLE user_session
        ADD COLUMN client_id uuid REFERENCES oauth_client ON DELETE CASCADE,
        ADD COLUMN scope text;
      CREATE INDEX user_session_client ON user_session (client_id) WHERE client_id IS NOT NULL;

      CREATE TABLE oauth_code (
        code_hash bytea PRIMARY KEY,
        client_id uuid NOT NULL REFERENCES oauth_client ON DELETE CASCADE,
        user_id uuid NOT NULL REFERENCES user_account ON DELETE CASCADE,
        redirect_uri text NOT NULL,
        scope text NOT NULL,
        code_challenge text NOT NULL,
        valid_until timestamptz NOT NULL,
        used_at timestamptz,
        session_id uuid,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX oauth_code_client ON oauth_code (client_id);
      CREATE INDEX oauth_code_user ON oauth_code (user_id);
      CREATE INDEX oauth_code_expires_at ON oauth_code (expires_at);

      INSERT INTO permission_grant (id, role_id, resource, action, effect) VALUES
        ('01900000-0000-7000-8000-000000000200', '01900000-0000-7000-8000-000000000002',
         'auth:clients', '*', 'allow');`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM permission_grant WHERE id = '01900000-0000-7000-8000-000000000200';
      DROP TABLE oauth_code;
      DROP INDEX user_session_client;
      ALTER TABLE user_session DROP COLUMN client_id, DROP COLUMN scope;
      DROP TABLE oauth_client;
      DELETE FROM user_account WHERE kind = 'service';
      ALTER TABLE user_account
        DROP CONSTRAINT user_account_password,
        DROP COLUMN kind,
        ALTER COLUMN password_hash SET NOT NULL;`);
  }
}
