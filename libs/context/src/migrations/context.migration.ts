import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Sources, entries, their search index and access events.
 *
 * Organizations and users are ids without foreign keys: this lib works without the one that owns
 * them. The index `context_entry_recent` serves recents, keyset pages and retention alike. Pages of
 * entries are left with room for a row, so that counting an access touches no index.
 */
export class Context1790000002001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SOURCE);
    await runner.query(ENTRY);
    await runner.query(INDEX);
    await runner.query(ACCESS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE access_event, entry_index, context_entry, context_source');
  }
}

const SOURCE = `
  CREATE TABLE context_source (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_-]+$'),
    label text NOT NULL,
    kind text NOT NULL
      CHECK (kind IN ('conversation', 'document', 'memory', 'tool', 'log', 'profile')),
    scope text NOT NULL CHECK (scope IN ('personal', 'team', 'organization')),
    retention_days integer CHECK (retention_days > 0),
    cache_rule jsonb,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now()
  );
  CREATE UNIQUE INDEX context_source_personal_name
    ON context_source (organization_id, owner_id, name) WHERE scope = 'personal';
  CREATE UNIQUE INDEX context_source_shared_name
    ON context_source (organization_id, name) WHERE scope <> 'personal';
  CREATE INDEX context_source_retention ON context_source (id) WHERE retention_days IS NOT NULL;`;

const ENTRY = `
  CREATE TABLE context_entry (
    id uuid PRIMARY KEY,
    source_id uuid NOT NULL REFERENCES context_source ON DELETE CASCADE,
    occurred_at timestamptz(3) NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    last_accessed_at timestamptz(3),
    access_count integer NOT NULL DEFAULT 0,
    importance real NOT NULL DEFAULT 0,
    rating real,
    pinned boolean NOT NULL DEFAULT false,
    tier text NOT NULL DEFAULT 'hot' CHECK (tier IN ('hot', 'warm', 'cold')),
    lifecycle text NOT NULL DEFAULT 'active'
      CHECK (lifecycle IN ('active', 'expiring', 'expired', 'archived')),
    role text,
    type text,
    author text,
    external_key text,
    content_hash bytea NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    text text NOT NULL
  ) WITH (fillfactor = 90);
  CREATE INDEX context_entry_recent ON context_entry (source_id, occurred_at DESC, id DESC);
  CREATE UNIQUE INDEX context_entry_external_key
    ON context_entry (source_id, external_key) WHERE external_key IS NOT NULL;
  CREATE INDEX context_entry_notable ON context_entry (source_id)
    WHERE importance > 0 OR pinned OR rating > 0;
  CREATE INDEX context_entry_expired ON context_entry (id) WHERE lifecycle = 'expired';`;

const INDEX = `
  CREATE TABLE entry_index (
    entry_id uuid PRIMARY KEY REFERENCES context_entry ON DELETE CASCADE,
    source_id uuid NOT NULL,
    next_attempt_at timestamptz(3) NOT NULL DEFAULT now(),
    attempts smallint NOT NULL DEFAULT 0,
    state text NOT NULL CHECK (state IN ('pending', 'written', 'failed')),
    last_error text,
    content_hash bytea NOT NULL,
    terms tsvector,
    embedding bytea,
    dense bytea,
    CHECK (state <> 'written' OR (terms IS NOT NULL AND embedding IS NOT NULL))
  );
  ALTER TABLE entry_index ALTER COLUMN embedding SET STORAGE EXTERNAL;
  ALTER TABLE entry_index ALTER COLUMN dense SET STORAGE EXTERNAL;
  ALTER TABLE entry_index ALTER COLUMN terms SET STATISTICS 200;
  CREATE INDEX entry_index_terms ON entry_index USING gin (terms) WHERE terms IS NOT NULL;
  CREATE INDEX entry_index_open ON entry_index (next_attempt_at, source_id)
    WHERE state <> 'written';`;

const ACCESS = `
  CREATE TABLE access_event (
    entry_id uuid NOT NULL,
    occurred_at timestamptz(3) NOT NULL,
    user_id uuid NOT NULL,
    accesses integer NOT NULL DEFAULT 1,
    PRIMARY KEY (entry_id, occurred_at, user_id)
  ) PARTITION BY RANGE (occurred_at);`;
