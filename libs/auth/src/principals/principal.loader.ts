import { Injectable } from '@nestjs/common';
import type { PermissionGrant, Principal } from '#libs/core';
import { DataSource } from 'typeorm';
import { BUILT_IN_ROLE_IDS } from '../accounts/built-in-roles.js';
import { grantsOfScope } from '../oauth/scope.js';

/** A session that is alive, and whose it is. */
export interface LiveSession {
  readonly principal: Principal;
  readonly expiresAt: Date;
}

type SessionRow = Principal & { readonly expiresAt: Date; readonly limitedTo: string | null };

/** An API key that works, and whose it is. */
export interface LoadedApiKey {
  readonly principal: Principal;
  readonly keyId: string;
  /** SHA-256 of the whole text. */
  readonly keyHash: Buffer;
  readonly expiresAt: Date;
}

/** Everything a principal is made of, for the account that the rest of the statement names. */
const PRINCIPAL = `
  account.id AS "userId", account.organization_id AS "organizationId", account.email,
    ARRAY(
      SELECT role.name FROM user_role held JOIN role ON role.id = held.role_id
      WHERE held.user_id = account.id ORDER BY role.name
    ) AS roles,
    ARRAY(
      SELECT jsonb_build_object('resource', given.resource, 'action', given.action, 'effect', given.effect)
      FROM (
        SELECT resource, action, effect
        FROM user_role held JOIN permission_grant USING (role_id) WHERE held.user_id = account.id
        UNION
        SELECT resource, action, effect FROM permission_grant WHERE user_id = account.id
      ) AS given
      ORDER BY given.resource, given.action, given.effect
    ) AS grants`;

/** Loads who somebody is and what they may do, always in one query. */
@Injectable()
export class PrincipalLoader {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * The principal behind a session, or undefined when the session has ended or the user is
   * disabled.
   */
  async ofSession(userId: string, sessionId: string, now: Date): Promise<LiveSession | undefined> {
    const [found] = await this.dataSource.query<SessionRow[]>(
      `SELECT ${PRINCIPAL}, session.expires_at AS "expiresAt", session.scope AS "limitedTo"
       FROM user_account account JOIN user_session session ON session.user_id = account.id
       WHERE account.id = $1 AND account.disabled_at IS NULL
         AND session.id = $2 AND session.revoked_at IS NULL AND session.expires_at > $3`,
      [userId, sessionId, now],
    );
    if (found === undefined) return undefined;
    const { expiresAt, limitedTo, ...principal } = found;
    if (limitedTo === null) return { principal, expiresAt };
    return { principal: { ...principal, scope: grantsOfScope(limitedTo) }, expiresAt };
  }

  /**
   * The principal behind an API key, limited to its scope; undefined when the key has ended or its
   * owner is disabled. Whether the rest of the text is right is left to the caller.
   */
  async ofApiKey(lookupId: string, now: Date): Promise<LoadedApiKey | undefined> {
    const [found] = await this.dataSource.query<
      (Principal & Omit<LoadedApiKey, 'principal'> & { keyScope: PermissionGrant[] })[]
    >(
      `SELECT ${PRINCIPAL}, key.id AS "keyId", version.key_hash AS "keyHash",
         least(version.expires_at, key.expires_at) AS "expiresAt",
         ARRAY(
           SELECT item || '{"effect": "allow"}' FROM jsonb_array_elements(key.scope) AS item
         ) AS "keyScope"
       FROM api_key_version version JOIN api_key key ON key.id = version.key_id
       JOIN user_account account ON account.id = key.user_id
       WHERE version.lookup_id = $1 AND least(version.expires_at, key.expires_at) > $2
         AND key.revoked_at IS NULL AND account.disabled_at IS NULL`,
      [lookupId, now],
    );
    if (found === undefined) return undefined;
    const { keyId, keyHash, expiresAt, keyScope, ...owner } = found;
    return { principal: { ...owner, scope: keyScope }, keyId, keyHash, expiresAt };
  }

  /** The principal of an active user, for work without a session such as a command or a job. */
  ofUser(userId: string): Promise<Principal | undefined> {
    return this.one('WHERE account.id = $1 AND account.disabled_at IS NULL', [userId]);
  }

  /** Like `ofUser`, by email. */
  ofEmail(email: string): Promise<Principal | undefined> {
    return this.one('WHERE account.email = $1 AND account.disabled_at IS NULL', [
      email.toLowerCase(),
    ]);
  }

  /** The oldest active administrator. */
  ofAdministrator(): Promise<Principal | undefined> {
    return this.one(
      `JOIN user_role admin ON admin.user_id = account.id AND admin.role_id = $1
       WHERE account.disabled_at IS NULL ORDER BY account.id LIMIT 1`,
      [BUILT_IN_ROLE_IDS.admin],
    );
  }

  private async one(which: string, parameters: unknown[]): Promise<Principal | undefined> {
    const [principal] = await this.dataSource.query<Principal[]>(
      `SELECT ${PRINCIPAL} FROM user_account account ${which}`,
      parameters,
    );
    return principal;
  }
}
