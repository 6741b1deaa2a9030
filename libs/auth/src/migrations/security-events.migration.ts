import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The record of security events, and who may read it. There are no foreign keys, because it outlives what it
 * speaks of. The triggers keep mistakes and single injected statements from changing it; against
 * somebody who rules the database only a copy elsewhere helps.
 */
export class SecurityEvents1790000001030 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE security_event (
        id uuid PRIMARY KEY,
        occurred_at timestamptz NOT NULL,
        type text NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'refused')),
        actor_id uuid,
        user_id uuid,
        organization_id uuid,
        target_kind text,
        target_id text,
        address text,
        user_agent text,
        request_id text,
        occurrences integer NOT NULL DEFAULT 1,
        details jsonb NOT NULL DEFAULT '{}'
      );
      CREATE INDEX security_event_organization ON security_event (organization_id, id);
      CREATE INDEX security_event_user ON security_event (user_id, id);
      CREATE INDEX security_event_actor ON security_event (actor_id, id);
      CREATE INDEX security_event_type ON security_event (type, id);
      -- Rows come in the order of their times, and only the purge looks for them by it.
      CREATE INDEX security_event_occurred_at ON security_event USING brin (occurred_at)
        WITH (pages_per_range = 16);

      CREATE FUNCTION security_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'DELETE' AND current_setting('pantheon.purges_security_events', true) = 'on' THEN
          RETURN NULL;
        END IF;
        RAISE EXCEPTION 'security_event is append-only' USING ERRCODE = 'insufficient_privilege';
      END $$;
      CREATE TRIGGER security_event_append_only
        BEFORE UPDATE OR DELETE OR TRUNCATE ON security_event
        FOR EACH STATEMENT EXECUTE FUNCTION security_event_is_append_only();

      INSERT INTO permission_grant (id, role_id, resource, action, effect)
      SELECT '01900000-0000-7000-8000-000000000180', id, 'audit', 'read', 'allow'
      FROM role WHERE name = 'owner' AND organization_id IS NULL;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM permission_grant WHERE id = '01900000-0000-7000-8000-000000000180';
      DROP TABLE security_event;
      DROP FUNCTION security_event_is_append_only`);
  }
}
