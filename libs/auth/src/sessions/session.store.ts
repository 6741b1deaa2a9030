import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { RiskAssessment, SessionOrigin } from './session-risk.js';

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

/** What decides how long a session may be unused. */
export interface SessionProfile extends RiskAssessment {
  /** Null: only the refresh token limits it. */
  readonly idleTimeoutSeconds: number | null;
  readonly important: boolean;
}

/** A session that is alive. */
export interface LiveSessionRow extends SessionProfile {
  readonly id: string;
  readonly userId: string;
  /** The client of OAuth 2.0 that has its tokens; null for a log-in. */
  readonly clientId: string | null;
  /** What it is limited to, as OAuth 2.0 writes it; null for a log-in. */
  readonly scope: string | null;
  readonly createdAt: Date;
  readonly refreshedAt: Date;
  readonly lastActiveAt: Date;
  readonly expiresAt: Date;
  readonly requestCount: number;
  readonly address: string | null;
  readonly userAgent: string | null;
}

export type EndingReason = 'logout' | 'reuse' | 'revoked' | 'password';

const LIVE_SESSION = `
  session.id, session.user_id AS "userId", session.client_id AS "clientId", session.scope,
    session.created_at AS "createdAt", session.refreshed_at AS "refreshedAt",
    session.last_active_at AS "lastActiveAt", session.expires_at AS "expiresAt",
    session.request_count AS "requestCount", session.idle_timeout_seconds AS "idleTimeoutSeconds",
    session.important, session.risk, session.anomalies, session.address,
    session.user_agent AS "userAgent"`;

/**
 * The ids of sessions that a statement is about to change, locked. Whoever changes several locks them
 * in this order, or two would wait for each other.
 */
export const lockedSessions = (where: string): string =>
  `SELECT id FROM user_session WHERE ${where} ORDER BY id FOR NO KEY UPDATE`;

/** The SQL of sessions and refresh tokens; each method is one statement. */
@Injectable()
export class SessionStore {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Opens a session of an active user. The account is locked meanwhile: whoever changes its password
   * or disables it either comes first, or finds the session.
   * @param passwordHash the account must still have; undefined asks for none
   * @returns whether it was opened
   */
  async open(
    owner: SessionOwner,
    first: NewRefreshToken,
    profile: SessionProfile,
    origin: SessionOrigin,
    passwordHash: string | undefined,
  ): Promise<boolean> {
    const opened = await this.dataSource.query<unknown[]>(
      `WITH opened AS (
         INSERT INTO user_session (id, user_id, created_at, refreshed_at, last_active_at, expires_at,
           idle_timeout_seconds, important, risk, anomalies, address, user_agent)
         SELECT $1, account.id, $3, $3, $3,
           least($4::timestamptz, $3::timestamptz + make_interval(secs => $7::integer)),
           $7, $8, $9, $10, $11, $12
         FROM user_account account
         WHERE account.id = $2 AND account.disabled_at IS NULL
           AND ($13::text IS NULL OR account.password_hash = $13)
         FOR SHARE
         RETURNING id
       ), issued AS (
         INSERT INTO refresh_token (id, session_id, token_hash, created_at, expires_at)
         SELECT $5, opened.id, $6, $3, $4 FROM opened
       )
       SELECT id FROM opened`,
      [
        owner.sessionId,
        owner.userId,
        first.now,
        first.expiresAt,
        first.id,
        first.tokenHash,
        profile.idleTimeoutSeconds,
        profile.important,
        profile.risk,
        profile.anomalies,
        origin.address ?? null,
        origin.userAgent ?? null,
        passwordHash ?? null,
      ],
    );
    return opened.length > 0;
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
  ): Promise<LiveSessionRow | undefined> {
    const [session] = await this.dataSource.query<[LiveSessionRow[], number]>(
      `WITH used AS (
         UPDATE refresh_token token SET used_at = $2
         FROM user_session session JOIN user_account account ON account.id = session.user_id
         WHERE token.token_hash = $1 AND token.used_at IS NULL AND token.expires_at > $2
           AND session.id = token.session_id
           AND session.revoked_at IS NULL AND session.expires_at > $2
           AND account.disabled_at IS NULL
         RETURNING session.id AS session_id,
           least($3::timestamptz, session.created_at + make_interval(secs => $6)) AS expires_at
       ), issued AS (
         INSERT INTO refresh_token (id, session_id, token_hash, created_at, expires_at)
         SELECT $4, used.session_id, $5, $2, used.expires_at FROM used
       )
       UPDATE user_session session SET refreshed_at = $2, last_active_at = $2,
         expires_at = least(
           used.expires_at, $2::timestamptz + make_interval(secs => idle_timeout_seconds))
       FROM used WHERE session.id = used.session_id
       RETURNING ${LIVE_SESSION}`,
      [tokenHash, next.now, next.expiresAt, next.id, next.tokenHash, sessionMaxAgeSeconds],
    );
    return session[0];
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
  async revoke(sessionId: string, now: Date, because: EndingReason): Promise<boolean> {
    const [revoked] = await this.dataSource.query<[{ id: string }[], number]>(
      `UPDATE user_session SET revoked_at = $2, revoked_because = $3
       WHERE id = $1 AND revoked_at IS NULL RETURNING id`,
      [sessionId, now, because],
    );
    return revoked.length > 0;
  }

  /** Ends the sessions of a user, all or all but one. @returns how many were alive */
  async revokeAll(
    manager: EntityManager,
    userId: string,
    now: Date,
    because: EndingReason,
    exceptSessionId?: string,
  ): Promise<number> {
    const [revoked] = await manager.query<[{ live: boolean }[], number]>(
      `UPDATE user_session SET revoked_at = $2, revoked_because = $3
       WHERE id IN (${lockedSessions('user_id = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $4::uuid')})
       RETURNING expires_at > $2 AS live`,
      [userId, now, because, exceptSessionId ?? null],
    );
    return revoked.filter(({ live }) => live).length;
  }

  /** The live sessions of a user, oldest first. */
  listLive(userId: string, now: Date, limit: number, afterId?: string): Promise<LiveSessionRow[]> {
    return this.dataSource.query<LiveSessionRow[]>(
      `SELECT ${LIVE_SESSION} FROM user_session session
       WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2
         AND ($4::uuid IS NULL OR id > $4)
       ORDER BY id LIMIT $3`,
      [userId, now, limit, afterId ?? null],
    );
  }

  async findLive(userId: string, id: string, now: Date): Promise<LiveSessionRow | undefined> {
    const [session] = await this.dataSource.query<LiveSessionRow[]>(
      `SELECT ${LIVE_SESSION} FROM user_session session
       WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL AND expires_at > $3`,
      [userId, id, now],
    );
    return session;
  }
}
