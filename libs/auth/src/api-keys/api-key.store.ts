import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { ActionScope } from '../access/grant-coverage.js';

/** One text of a key, as its owner sees it. */
export interface ApiKeyVersionView {
  readonly version: number;
  /** How the text begins. */
  readonly startsWith: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly useCount: number;
  readonly lastUsedAt: string | null;
  readonly lastUsedAddress: string | null;
}

/** A key as its owner sees it: nothing of its secret. */
export interface ApiKeyView {
  readonly id: string;
  readonly name: string;
  readonly scope: readonly ActionScope[];
  readonly status: 'active' | 'expired' | 'revoked';
  /** Of the newest text. */
  readonly version: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  readonly useCount: number;
  readonly lastUsedAt: Date | null;
  readonly lastUsedAddress: string | null;
  /** The newest first; after a rotation the one before is there until it ends. */
  readonly versions: readonly ApiKeyVersionView[];
}

export interface NewApiKey {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly scope: readonly ActionScope[];
}

export interface NewApiKeyVersion {
  readonly keyId: string;
  readonly version: number;
  readonly lookupId: string;
  readonly hash: Buffer;
  readonly now: Date;
  readonly expiresAt: Date;
}

const SELECT_KEYS = `
  SELECT key.id, key.name, key.scope, key.version, key.created_at AS "createdAt",
    key.expires_at AS "expiresAt", key.revoked_at AS "revokedAt",
    CASE WHEN key.revoked_at IS NOT NULL THEN 'revoked'
         WHEN key.expires_at <= $2 THEN 'expired' ELSE 'active' END AS status,
    usage.versions, usage."useCount"::float8 AS "useCount", usage."lastUsedAt",
    usage."lastUsedAddress"
  FROM api_key key
  CROSS JOIN LATERAL (
    SELECT sum(use_count) AS "useCount", max(last_used_at) AS "lastUsedAt",
      (array_agg(last_used_address ORDER BY last_used_at DESC NULLS LAST))[1] AS "lastUsedAddress",
      jsonb_agg(jsonb_build_object(
        'version', version, 'startsWith', 'pan_' || left(lookup_id, 6), 'createdAt', created_at,
        'expiresAt', expires_at, 'useCount', use_count, 'lastUsedAt', last_used_at,
        'lastUsedAddress', last_used_address) ORDER BY version DESC) AS versions
    FROM api_key_version WHERE key_id = key.id
  ) usage`;

/** The SQL of API keys; each method is one statement. Every one carries the owner. */
@Injectable()
export class ApiKeyStore {
  constructor(private readonly dataSource: DataSource) {}

  /** At most `limit` keys with ids after `afterId`, in the order of their making. */
  async list(userId: string, now: Date, limit: number, afterId?: string): Promise<ApiKeyView[]> {
    const keys = await this.dataSource.query<ApiKeyView[]>(
      `${SELECT_KEYS} WHERE key.user_id = $1 AND ($3::uuid IS NULL OR key.id > $3)
       ORDER BY key.id LIMIT $4`,
      [userId, now, afterId ?? null, limit],
    );
    return keys.map(withTimes);
  }

  async find(
    userId: string,
    now: Date,
    keyId: string,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<ApiKeyView | undefined> {
    const [key] = await manager.query<ApiKeyView[]>(
      `${SELECT_KEYS} WHERE key.user_id = $1 AND key.id = $3`,
      [userId, now, keyId],
    );
    return key === undefined ? undefined : withTimes(key);
  }

  /** As `find`, with the key locked until the transaction ends. */
  async lock(
    manager: EntityManager,
    userId: string,
    now: Date,
    keyId: string,
  ): Promise<ApiKeyView | undefined> {
    const [key] = await manager.query<ApiKeyView[]>(
      `${SELECT_KEYS} WHERE key.user_id = $1 AND key.id = $3 FOR UPDATE OF key`,
      [userId, now, keyId],
    );
    return key === undefined ? undefined : withTimes(key);
  }

  /** Makes whoever else makes a key for the user wait; says how many work. */
  async countForNext(manager: EntityManager, userId: string, now: Date): Promise<number> {
    await manager.query('SELECT 1 FROM user_account WHERE id = $1 FOR NO KEY UPDATE', [userId]);
    const [row] = await manager.query<{ count: number }[]>(
      `SELECT count(*)::integer AS count FROM api_key
       WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2`,
      [userId, now],
    );
    return row?.count ?? 0;
  }

  async add(manager: EntityManager, key: NewApiKey, first: NewApiKeyVersion): Promise<void> {
    await manager.query(
      `INSERT INTO api_key (id, user_id, name, scope, version, created_at, expires_at)
       VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7)`,
      [
        key.id,
        key.userId,
        key.name,
        JSON.stringify(key.scope),
        first.version,
        first.now,
        first.expiresAt,
      ],
    );
    await this.insertVersion(manager, first);
  }

  /** Adds the next version; the one before ends at `overlapEnds` or earlier, older ones now. */
  async rotate(manager: EntityManager, next: NewApiKeyVersion, overlapEnds: Date): Promise<void> {
    await manager.query(
      `UPDATE api_key_version
       SET expires_at = least(expires_at,
         CASE WHEN version = $2 - 1 THEN $3::timestamptz ELSE $4::timestamptz END)
       WHERE key_id = $1`,
      [next.keyId, next.version, overlapEnds, next.now],
    );
    await this.insertVersion(manager, next);
    await manager.query('UPDATE api_key SET version = $2, expires_at = $3 WHERE id = $1', [
      next.keyId,
      next.version,
      next.expiresAt,
    ]);
  }

  async change(
    manager: EntityManager,
    keyId: string,
    { name, scope, expiresAt }: Pick<ApiKeyView, 'name' | 'scope' | 'expiresAt'>,
  ): Promise<void> {
    await manager.query(
      `WITH versions AS (
         UPDATE api_key_version SET expires_at = $4 WHERE key_id = $1 AND expires_at > $4
       )
       UPDATE api_key SET name = $2, scope = $3::jsonb, expires_at = $4 WHERE id = $1`,
      [keyId, name, JSON.stringify(scope), expiresAt],
    );
  }

  async revoke(manager: EntityManager, keyId: string, now: Date): Promise<void> {
    await manager.query('UPDATE api_key SET revoked_at = $2 WHERE id = $1', [keyId, now]);
  }

  /** Ends the keys of a user that work. @returns how many did */
  async revokeAll(manager: EntityManager, userId: string, now: Date): Promise<number> {
    const [, revoked] = await manager.query<[unknown, number]>(
      `UPDATE api_key SET revoked_at = $2
       WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2`,
      [userId, now],
    );
    return revoked;
  }

  /** Deletes at most `limit` keys that have ended before a time. */
  async deleteEnded(before: Date, limit: number): Promise<number> {
    const [, deleted] = await this.dataSource.query<[unknown, number]>(
      `DELETE FROM api_key WHERE id = ANY (ARRAY(
         SELECT id FROM api_key WHERE least(expires_at, revoked_at) < $1 LIMIT $2
         FOR UPDATE SKIP LOCKED))`,
      [before, limit],
    );
    return deleted;
  }

  private async insertVersion(manager: EntityManager, row: NewApiKeyVersion): Promise<void> {
    await manager.query(
      `INSERT INTO api_key_version (lookup_id, key_id, version, key_hash, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [row.lookupId, row.keyId, row.version, row.hash, row.now, row.expiresAt],
    );
  }
}

/** Times inside JSON come in the form of PostgreSQL. */
function withTimes(key: ApiKeyView): ApiKeyView {
  const versions = key.versions.map((version) => ({
    ...version,
    createdAt: new Date(version.createdAt).toISOString(),
    expiresAt: new Date(version.expiresAt).toISOString(),
    lastUsedAt: version.lastUsedAt === null ? null : new Date(version.lastUsedAt).toISOString(),
  }));
  return { ...key, versions };
}
