import { Injectable } from '@nestjs/common';
import { newId } from '#libs/core';
import { DataSource, type EntityManager } from 'typeorm';
import { BUILT_IN_ROLE_IDS, type BuiltInRole } from './built-in-roles.js';

/** What a log-in needs to know of an account. */
export interface Credentials {
  readonly userId: string;
  readonly passwordHash: string;
  readonly disabled: boolean;
}

/** The password that an account has now. */
export interface AccountPassword {
  readonly email: string;
  readonly passwordHash: string;
}

export interface PasswordReplacement {
  readonly userId: string;
  /** The hash that is replaced. */
  readonly before: string;
  readonly after: string;
  readonly historyId: string;
  /** So many earlier passwords are kept. */
  readonly keep: number;
}

export interface NewAccount {
  readonly email: string;
  readonly passwordHash: string;
  readonly organizationName: string;
  readonly role: BuiltInRole;
  readonly nowMs: number;
}

export interface CreatedAccount {
  readonly userId: string;
  readonly organizationId: string;
}

/** The SQL of accounts; each method is one statement. */
@Injectable()
export class AccountStore {
  constructor(private readonly dataSource: DataSource) {}

  async findCredentials(email: string): Promise<Credentials | undefined> {
    const [found] = await this.dataSource.query<Credentials[]>(
      `SELECT id AS "userId", password_hash AS "passwordHash", disabled_at IS NOT NULL AS disabled
       FROM user_account WHERE email = $1 AND kind = 'person'`,
      [email],
    );
    return found;
  }

  /**
   * Creates an organization with its first user, both or neither.
   * @returns undefined when the email is taken
   */
  async createWithOrganization(
    account: NewAccount,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<CreatedAccount | undefined> {
    const userId = newId(account.nowMs);
    const organizationId = newId(account.nowMs);
    // Foreign keys are checked when the statement ends, so the user may come first: an email that
    // is taken then leaves no organization behind.
    const created = await manager.query<unknown[]>(
      `WITH created AS (
         INSERT INTO user_account (id, organization_id, email, password_hash, created_at)
         VALUES ($1, $2, $3, $4, $7) ON CONFLICT (email) DO NOTHING RETURNING id
       ), organization_row AS (
         INSERT INTO organization (id, name, created_at)
         SELECT $2, $5, $7 FROM created
       ), role_row AS (
         INSERT INTO user_role (user_id, role_id) SELECT id, $6 FROM created
       )
       SELECT id FROM created`,
      [
        userId,
        organizationId,
        account.email,
        account.passwordHash,
        account.organizationName,
        BUILT_IN_ROLE_IDS[account.role],
        new Date(account.nowMs),
      ],
    );
    return created.length === 0 ? undefined : { userId, organizationId };
  }

  /** The email of the oldest administrator, active or not. */
  async findAdministratorEmail(
    manager: EntityManager = this.dataSource.manager,
  ): Promise<string | undefined> {
    const [found] = await manager.query<{ email: string }[]>(
      `SELECT account.email FROM user_role held JOIN user_account account ON account.id = held.user_id
       WHERE held.role_id = $1 ORDER BY account.id LIMIT 1`,
      [BUILT_IN_ROLE_IDS.admin],
    );
    return found?.email;
  }

  /**
   * Stores a new hash of the same password.
   * @returns false when the hash was changed meanwhile
   */
  async replaceHash(userId: string, before: string, after: string): Promise<boolean> {
    const [, replaced] = await this.dataSource.query<[unknown, number]>(
      'UPDATE user_account SET password_hash = $3 WHERE id = $1 AND password_hash = $2',
      [userId, before, after],
    );
    return replaced > 0;
  }

  /** The password of an account, active or not. */
  async passwordOf(userId: string): Promise<AccountPassword | undefined> {
    const [found] = await this.dataSource.query<AccountPassword[]>(
      `SELECT email, password_hash AS "passwordHash" FROM user_account
       WHERE id = $1 AND kind = 'person'`,
      [userId],
    );
    return found;
  }

  /** Hashes of the passwords that an account had before, the latest first. */
  async earlierPasswordsOf(userId: string, limit: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ hash: string }[]>(
      `SELECT password_hash AS hash FROM password_history WHERE user_id = $1
       ORDER BY id DESC LIMIT $2`,
      [userId, limit],
    );
    return rows.map(({ hash }) => hash);
  }

  /**
   * Stores the hash of a new password, and keeps the one before among the last `keep`.
   * @returns false when the password was changed meanwhile
   */
  async changePassword(manager: EntityManager, change: PasswordReplacement): Promise<boolean> {
    const { userId, before, after, historyId, keep } = change;
    const changed = await manager.query<unknown[]>(
      `WITH changed AS (
         UPDATE user_account SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id
       ), kept AS (
         INSERT INTO password_history (id, user_id, password_hash) SELECT $4, id, $2 FROM changed
       )
       SELECT id FROM changed`,
      [userId, before, after, historyId],
    );
    await manager.query(
      `DELETE FROM password_history WHERE user_id = $1 AND id NOT IN (
         SELECT id FROM password_history WHERE user_id = $1 ORDER BY id DESC LIMIT $2
       )`,
      [userId, keep],
    );
    return changed.length > 0;
  }
}
