import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** A refresh token to keep: its hash, and when it and its session end if nobody refreshes. */
export interface NewRefreshToken {
  readonly id: string;
  readonly tokenHash: Buffer;
  readonly now: Date;
  readonly expiresAt: Date;
}

export interface SessionOwner {
  readonly sessionId: string;
  readonly userId: string;
}

/** A refresh token that could not be exchanged, and why it may have been so. */
export interface SpentToken extends SessionOwner {
  readonly usedAt: Date | null;
  readonly sessionEnded: boolean;
}

/** The SQL of sessions and refresh tokens; each method is one statement. */
@Injectable()
export class SessionStore {
  constructor(private readonly dataSource: DataSource) {}

  async open(owner: SessionOwner, first: NewRefreshToken): Promise<void> {
    await this.dataSource.query(
      `WITH opened AS (
         INSERT INTO user_session (id, user_id, created_at, refreshed_at, expires_at)
         VALUES ($1, $2, $3, $3, $4)
       )
       INSERT INTO refresh_token (id, session_id, token_hash, created_at, expires_at)
       VALUES ($5, $1, $6, $3, $4)`,
      [owner.sessionId, owner.userId, first.now, first.expiresAt, first.id, first.tokenHash],
    );
  }

  /**
   * Exchanges a refresh token for its successor. Of any number of simultaneous calls one gets an
   * answer: the others wait for its row lock and then find the token used.
   * @returns undefined when the token is unknown, used or expired, or its session has ended
   */
  async rotate(
    tokenHash: Buffer,
    next: NewRefreshToken,
    sessionMaxAgeSeconds: number,
  ): Promise<SessionOwner | undefined> {
    const [owner] = await this.dataSource.query<SessionOwner[]>(
      `WITH used AS (
         UPDATE refresh_token token SET used_at = $2
         FROM user_session session JOIN user_account account ON account.id = session.user_id
         WHERE token.token_hash = $1 AND token.used_at IS NULL AND token.expires_at > $2
           AND session.id = token.session_id
           AND session.revoked_at IS NULL AND session.expires_at > $2
           AND account.disabled_at IS NULL
         RETURNING session.id AS session_id, session.user_id,
           least($3::timestamptz, session.created_at + make_interval(secs => $6)) AS expires_at
       ), extended AS (
         UPDATE user_session session SET refreshed_at = $2, expires_at = used.expires_at
         FROM used WHERE session.id = used.session_id
       ), issued AS (
         INSERT INTO refresh_token (id, session_id, token_hash, created_at, expires_at)
         SELECT $4, used.session_id, $5, $2, used.expires_at FROM used
       )
       SELECT session_id AS "sessionId", user_id AS "userId" FROM used`,
      [tokenHash, next.now, next.expiresAt, next.id, next.tokenHash, sessionMaxAgeSeconds],
    );
    return owner;
  }

  /** Why a token could not be exchanged; undefined when there never was one, or it was purged. */
  async findSpent(tokenHash: Buffer, now: Date): Promise<SpentToken | undefined> {
    const [token] = await this.dataSource.query<SpentToken[]>(
      `SELECT session.id AS "sessionId", session.user_id AS "userId", token.used_at AS "usedAt",
         session.revoked_at IS NOT NULL OR session.expires_at <= $2 AS "sessionEnded"
       FROM refresh_token token JOIN user_session session ON session.id = token.session_id
       WHERE token.token_hash = $1`,
      [tokenHash, now],
    );
    return token;
  }

  /** Ends a session. @returns whether it was still alive */
  async revoke(sessionId: string, now: Date, because: 'logout' | 'reuse'): Promise<boolean> {
    const [revoked] = await this.dataSource.query<[{ id: string }[], number]>(
      `UPDATE user_session SET revoked_at = $2, revoked_because = $3
       WHERE id = $1 AND revoked_at IS NULL RETURNING id`,
      [sessionId, now, because],
    );
    return revoked.length > 0;
  }
}
