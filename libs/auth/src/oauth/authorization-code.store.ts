import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/** A code to keep. */
export interface NewAuthorizationCode {
  readonly codeHash: Buffer;
  readonly clientId: string;
  readonly userId: string;
  /** What the user's password was checked against. */
  readonly passwordHash: string;
  readonly redirectUri: string;
  readonly scope: string;
  readonly codeChallenge: string;
  readonly validUntil: Date;
  /** When the row is forgotten. */
  readonly expiresAt: Date;
}

/** Where codes wait for their client. */
@Injectable()
export class AuthorizationCodeStore {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Keeps a code for an active user that the client is for, and whose password is still the one that
   * was checked. The account is locked meanwhile, as when a session is opened.
   * @returns whether it was kept
   */
  async add(code: NewAuthorizationCode): Promise<boolean> {
    const added = await this.dataSource.query<unknown[]>(
      `INSERT INTO oauth_code
         (code_hash, client_id, user_id, redirect_uri, scope, code_challenge, valid_until, expires_at)
       SELECT $1, client.id, account.id, $4, $5, $6, $7, $8
       FROM oauth_client client JOIN user_account account
         ON client.shared OR account.organization_id = client.organization_id
       WHERE client.id = $2 AND client.disabled_at IS NULL
         AND account.id = $3 AND account.disabled_at IS NULL AND account.password_hash = $9
       FOR SHARE OF account
       RETURNING client_id`,
      [
        code.codeHash,
        code.clientId,
        code.userId,
        code.redirectUri,
        code.scope,
        code.codeChallenge,
        code.validUntil,
        code.expiresAt,
        code.passwordHash,
      ],
    );
    return added.length > 0;
  }

  /** Takes the codes of a user back that were not used yet. */
  async withdraw(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('DELETE FROM oauth_code WHERE user_id = $1 AND used_at IS NULL', [userId]);
  }
}
