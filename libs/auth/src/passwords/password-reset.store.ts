import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/** What an administrator hands to a user, once. */
export interface PasswordResetToken {
  readonly token: string;
  readonly expiresAt: Date;
}

export interface NewPasswordReset {
  readonly userId: string;
  readonly tokenHash: Buffer;
  readonly expiresAt: Date;
}

/** The SQL of tokens by which users set new passwords. */
@Injectable()
export class PasswordResetStore {
  constructor(private readonly dataSource: DataSource) {}

  /** Stores a token, and takes back those that the user was given before. */
  async replace(
    manager: EntityManager,
    { userId, tokenHash, expiresAt }: NewPasswordReset,
  ): Promise<void> {
    await this.withdraw(manager, userId);
    await manager.query(
      'INSERT INTO password_reset (token_hash, user_id, expires_at) VALUES ($1, $2, $3)',
      [tokenHash, userId, expiresAt],
    );
  }

  /** Takes the tokens of a user back. @returns their hashes */
  async withdraw(manager: EntityManager, userId: string): Promise<Buffer[]> {
    const [withdrawn] = await manager.query<[{ tokenHash: Buffer }[], number]>(
      'DELETE FROM password_reset WHERE user_id = $1 RETURNING token_hash AS "tokenHash"',
      [userId],
    );
    return withdrawn.map(({ tokenHash }) => tokenHash);
  }

  /** Whose a token is, if it is good. */
  async find(tokenHash: Buffer, now: Date): Promise<string | undefined> {
    const [found] = await this.dataSource.query<{ userId: string }[]>(
      `SELECT user_id AS "userId" FROM password_reset WHERE token_hash = $1 AND expires_at > $2`,
      [tokenHash, now],
    );
    return found?.userId;
  }
}
