import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Organizations, users, roles, grants, sessions and signing keys. */
export class AuthTables1790000001001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE organization (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );

      CREATE TABLE user_account (
        id uuid PRIMARY KEY,
        organization_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
        email text NOT NULL CONSTRAINT user_account_email UNIQUE,
        password_hash text NOT NULL,
        disabled_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX user_account_organization ON user_account (organization_id, id);

      CREATE TABLE role (
        id uuid PRIMARY KEY,
        organization_id uuid REFERENCES organization ON DELETE CASCADE,
        name text NOT NULL,
        description text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT role_name UNIQUE NULLS NOT DISTINCT (organization_id, name)
      );

      CREATE TABLE user_role (
        user_id uuid NOT NULL REFERENCES user_account ON DELETE CASCADE,
        role_id uuid NOT NULL REFERENCES role ON DELETE CASCADE,
        PRIMARY KEY (user_id, role_id)
      );
      CREATE INDEX user_role_role ON user_role (role_id);

      CREATE TABLE permission_grant (
        id uuid PRIMARY KEY,
        role_id uuid REFERENCES role ON DELETE CASCADE,
        user_id uuid REFERENCES user_account ON DELETE CASCADE,
        resource text NOT NULL,
        action text NOT NULL,
        effect text NOT NULL CHECK (effect IN ('allow', 'deny')),
        CHECK (num_nonnulls(role_id, user_id) = 1),
        CONSTRAINT permission_grant_once
          UNIQUE NULLS NOT DISTINCT (role_id, user_id, resource, action, effect)
      );
      CREATE INDEX permission_grant_user ON permission_grant (user_id) WHERE user_id IS NOT NULL;

      CREATE TABLE user_session (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES user_account ON DELETE CASCADE,
        created_at timestamptz NOT NULL,
        refreshed_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        revoked_because text CHECK (revoked_because IN ('logout', 'reuse', 'disabled')),
        CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
      );
      CREATE INDEX user_session_user ON user_session (user_id);
      CREATE INDEX user_session_expires_at ON user_session (expires_at);

      CREATE TABLE refresh_token (
        id uuid PRIMARY KEY,
        session_id uuid NOT NULL REFERENCES user_session ON DELETE CASCADE,
        token_hash bytea NOT NULL CONSTRAINT refresh_token_hash UNIQUE,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
      );
      CREATE INDEX refresh_token_session ON refresh_token (session_id);
      CREATE INDEX refresh_token_expires_at ON refresh_token (expires_at);

      CREATE TABLE signing_key (
        kid text PRIMARY KEY,
        generation integer NOT NULL CONSTRAINT signing_key_generation UNIQUE,
        encryption text NOT NULL CHECK (encryption IN ('none', 'aes-256-gcm')),
        secret bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE signing_key, refresh_token, user_session, permission_grant, user_role, role,
        user_account, organization`);
  }
}
