import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { SessionAnomaly, SessionOrigin } from './session-risk.js';
import type { PastSession, SessionRisk } from './session-timeout.js';
import { lockedSessions, type SessionOwner, type SessionProfile } from './session.store.js';

/** What was seen of a user before. */
export interface UserHistory {
  readonly roles: readonly string[];
  /** The latest first. */
  readonly sessions: readonly (PastSession & SessionOrigin & { readonly id: string })[];
}

/** How a session was used since the last time it was written. */
export interface SessionUsage {
  readonly sessionId: string;
  readonly requests: number;
  readonly lastActiveAt: Date;
}

/** Where a session was begun, as it is stored. */
export interface StoredOrigin extends SessionOwner {
  readonly risk: SessionRisk;
  readonly anomalies: readonly SessionAnomaly[];
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** What ends a session however much it is used. */
export interface SessionLimits {
  readonly refreshTokenTtlSeconds: number;
  readonly sessionMaxAgeSeconds: number;
}

/** Of so many earlier sessions it is known from where and with what they were used. */
const MAX_HISTORY = 20;

/** When a session ends that was used at `at`; never sooner than it does already. */
const movedOn = (at: string, refreshTtl: string, maxAge: string): string =>
  `CASE WHEN idle_timeout_seconds IS NULL THEN expires_at ELSE
     greatest(expires_at, least(${at}::timestamptz + make_interval(secs => idle_timeout_seconds),
       refreshed_at + make_interval(secs => ${refreshTtl}),
       created_at + make_interval(secs => ${maxAge})))
   END`;

/** The SQL of how sessions are used, and of the ends that follow from it; each method is one statement. */
@Injectable()
export class SessionUseStore {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * The roles of a user, and the sessions they used since `since`. Those of OAuth 2.0 are used by
   * clients, so they tell nothing of the user.
   */
  async historyOf(userId: string, since: Date): Promise<UserHistory> {
    const [history] = await this.dataSource.query<UserHistoryRow[]>(
      `SELECT
         ARRAY(
           SELECT role.name FROM user_role held JOIN role ON role.id = held.role_id
           WHERE held.user_id = $1
         ) AS roles,
         (SELECT coalesce(jsonb_agg(recent ORDER BY recent."lastActiveAt" DESC), '[]') FROM (
           SELECT id, last_active_at AS "lastActiveAt", request_count AS "requestCount", address,
             user_agent AS "userAgent"
           FROM user_session
           WHERE user_id = $1 AND client_id IS NULL AND last_active_at > $2
           ORDER BY last_active_at DESC LIMIT ${MAX_HISTORY}
         ) AS recent) AS sessions`,
      [userId, since],
    );
    const { roles = [], sessions = [] } = history ?? {};
    return {
      roles,
      sessions: sessions.map(({ id, requestCount, lastActiveAt, address, userAgent }) => ({
        id,
        requestCount,
        lastActiveAt: new Date(lastActiveAt),
        address: address ?? undefined,
        userAgent: userAgent ?? undefined,
      })),
    };
  }

  /**
   * Gives a live session another profile. It then ends when it was unused for the new time-out from
   * `now` on, which may be sooner than before.
   * @returns when; undefined when the session has ended
   */
  async changeProfile(
    sessionId: string,
    profile: SessionProfile,
    now: Date,
    limits: SessionLimits,
  ): Promise<Date | undefined> {
    const [changed] = await this.dataSource.query<[{ expiresAt: Date }[], number]>(
      `UPDATE user_session SET idle_timeout_seconds = $3, important = $4, risk = $5, anomalies = $6,
         last_active_at = greatest(last_active_at, $2),
         expires_at = least($2::timestamptz + make_interval(secs => $3::integer),
           refreshed_at + make_interval(secs => $7), created_at + make_interval(secs => $8))
       WHERE id = $1 AND revoked_at IS NULL AND expires_at > $2
       RETURNING expires_at AS "expiresAt"`,
      [
        sessionId,
        now,
        profile.idleTimeoutSeconds,
        profile.important,
        profile.risk,
        profile.anomalies,
        limits.refreshTokenTtlSeconds,
        limits.sessionMaxAgeSeconds,
      ],
    );
    return changed[0]?.expiresAt;
  }

  /**
   * Counts the time-out of a live session from `now` on.
   * @returns when it ends then; undefined when it has ended
   */
  async keepAlive(sessionId: string, now: Date, limits: SessionLimits): Promise<Date | undefined> {
    const [moved] = await this.dataSource.query<[{ expiresAt: Date }[], number]>(
      `UPDATE user_session SET last_active_at = greatest(last_active_at, $2),
         expires_at = ${movedOn('$2', '$3', '$4')}
       WHERE id = $1 AND revoked_at IS NULL AND expires_at > $2
       RETURNING expires_at AS "expiresAt"`,
      [sessionId, now, limits.refreshTokenTtlSeconds, limits.sessionMaxAgeSeconds],
    );
    return moved[0]?.expiresAt;
  }

  /**
   * Adds to what is known of the use of sessions, and moves their ends on; a session that has ended
   * stays so.
   * @returns where the sessions were begun
   */
  async addUsage(usages: readonly SessionUsage[], limits: SessionLimits): Promise<StoredOrigin[]> {
    const [begun] = await this.dataSource.query<[StoredOrigin[], number]>(
      `WITH used AS (
         SELECT id, requests, at
         FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[]) AS used (id, requests, at)
       ), locked AS (
         ${lockedSessions('id = ANY($1)')}
       )
       UPDATE user_session session SET
         request_count = least(request_count::bigint + used.requests, 2147483647),
         last_active_at = greatest(last_active_at, used.at),
         expires_at = ${movedOn('used.at', '$4', '$5')}
       FROM used JOIN locked USING (id)
       WHERE session.id = used.id AND revoked_at IS NULL AND expires_at > used.at
       RETURNING session.id AS "sessionId", user_id AS "userId", risk, anomalies, address,
         user_agent AS "userAgent"`,
      [
        usages.map(({ sessionId }) => sessionId),
        usages.map(({ requests }) => requests),
        usages.map(({ lastActiveAt }) => lastActiveAt),
        limits.refreshTokenTtlSeconds,
        limits.sessionMaxAgeSeconds,
      ],
    );
    return begun;
  }
}

/** As JSON brings it. */
interface UserHistoryRow {
  readonly roles: readonly string[];
  readonly sessions: readonly {
    readonly id: string;
    readonly lastActiveAt: string;
    readonly requestCount: number;
    readonly address: string | null;
    readonly userAgent: string | null;
  }[];
}
