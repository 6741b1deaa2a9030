import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { NewRefreshToken } from '../sessions/session.store.js';

/** A session of a client, as its tokens name it. */
export interface ClientSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly scope: string;
}

/** A session to open: without a refresh token it ends at `expiresAt`. */
export interface NewClientSession {
  readonly sessionId: string;
  readonly clientId: string;
  readonly now: Date;
  readonly expiresAt: Date;
  readonly refresh: NewRefreshToken | undefined;
}

/** What shows that a code was given to the client that brings it. */
export interface CodeExchange {
  readonly codeHash: Buffer;
  readonly redirectUri: string;
  readonly codeChallenge: string;
}

/** A token that is alive, with whose and what it is. */
export interface TokenFacts extends ClientSession {
  readonly clientId: string | null;
  readonly email: string;
  readonly organizationId: string;
  readonly expiresAt: Date;
}

/** A code that could not be exchanged. */
export interface SpentCode {
  readonly usedAt: Date | null;
  readonly sessionId: string | null;
  readonly userId: string;
  readonly clientId: string;
}

const SESSION_FACTS = `
  session.id AS "sessionId", account.id AS "userId", coalesce(session.scope, '') AS scope,
    session.client_id AS "clientId", account.email, account.organization_id AS "organizationId"`;
const SESSION_IS_ALIVE = `
  session.revoked_at IS NULL AND session.expires_at > $2 AND account.disabled_at IS NULL`;

/** The SQL of the sessions of clients; each method is one statement. */
@Injectable()
export class ClientSessionStore {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Opens a session of the account that a client acts by.
   * @returns undefined when the client or its account is disabled
   */
  async openService(session: NewClientSession, scope: string): Promise<ClientSession | undefined> {
    const [opened] = await this.dataSource.query<ClientSession[]>(
      `INSERT INTO user_session
         (id, user_id, client_id, scope, created_at, refreshed_at, last_active_at, expires_at)
       SELECT $1, account.id, client.id, $5, $3, $3, $3, $4
       FROM oauth_client client JOIN user_account account ON account.id = client.service_user_id
       WHERE client.id = $2 AND client.disabled_at IS NULL AND account.disabled_at IS NULL
       RETURNING id AS "sessionId", user_id AS "userId", scope`,
      [session.sessionId, session.clientId, session.now, session.expiresAt, scope],
    );
    return opened;
  }

  /**
   * Exchanges a code for a session. Of any number of simultaneous calls one gets an answer. A code
   * that its own client brings is used up, whether or not the rest fits, so that nobody can try.
   * @returns undefined when there is no such code, or it was used, or does not fit
   */
  async exchange(code: CodeExchange, session: NewClientSession): Promise<ExchangedCode> {
    const [row] = await this.dataSource.query<ExchangeRow[]>(
      `WITH used AS (
         UPDATE oauth_code SET used_at = $5, session_id = $6
         WHERE code_hash = $1 AND client_id = $2 AND used_at IS NULL
         RETURNING user_id, client_id, scope,
           valid_until > $5 AND redirect_uri = $3 AND code_challenge = $4 AS fits
       ), opened AS (
         INSERT INTO user_session
           (id, user_id, client_id, scope, created_at, refreshed_at, last_active_at, expires_at)
         SELECT $6, used.user_id, used.client_id, used.scope, $5, $5, $5, $7
         FROM used JOIN user_account account ON account.id = used.user_id
         WHERE used.fits AND account.disabled_at IS NULL
         RETURNING id, user_id, scope
       ), issued AS (
         INSERT INTO refresh_token (id, session_id, token_hash, created_at, expires_at)
         SELECT $8::uuid, opened.id, $9::bytea, $5, $7 FROM opened WHERE $8::uuid IS NOT NULL
       )
       SELECT opened.id AS "sessionId", opened.user_id AS "userId", opened.scope
       FROM used LEFT JOIN opened ON true`,
      [
        code.codeHash,
        session.clientId,
        code.redirectUri,
        code.codeChallenge,
        session.now,
        session.sessionId,
        session.expiresAt,
        session.refresh?.id ?? null,
        session.refresh?.tokenHash ?? null,
      ],
    );
    if (row === undefined) return { wasUnused: false, session: undefined };
    const { sessionId, userId, scope } = row;
    if (sessionId === null) return { wasUnused: true, session: undefined };
    return { wasUnused: true, session: { sessionId, userId, scope } };
  }

  /** Why a code could not be exchanged; undefined when there is none. */
  async findCode(codeHash: Buffer): Promise<SpentCode | undefined> {
    const [code] = await this.dataSource.query<SpentCode[]>(
      `SELECT used_at AS "usedAt", session_id AS "sessionId", user_id AS "userId",
         client_id AS "clientId"
       FROM oauth_code WHERE code_hash = $1`,
      [codeHash],
    );
    return code;
  }

  /**
   * Exchanges a refresh token of a client for its successor, as `SessionStore.rotate` does.
   * @returns undefined when it is unknown, used, expired or another client's, or its session ended
   */
  async rotate(
    tokenHash: Buffer,
    clientId: string,
    next: NewRefreshToken,
    sessionMaxAgeSeconds: number,
  ): Promise<ClientSession | undefined> {
    const [session] = await this.dataSource.query<ClientSession[]>(
      `WITH used AS (
         UPDATE refresh_token token SET used_at = $2
         FROM user_session session JOIN user_account account ON account.id = session.user_id
         WHERE token.token_hash = $1 AND token.used_at IS NULL AND token.expires_at > $2
           AND session.id = token.session_id AND session.client_id = $7 AND ${SESSION_IS_ALIVE}
         RETURNING session.id, session.user_id, session.scope,
           least($3::timestamptz, session.created_at + make_interval(secs => $6)) AS expires_at
       ), extended AS (
         UPDATE user_session session
         SET refreshed_at = $2, last_active_at = $2, expires_at = used.expires_at
         FROM used WHERE session.id = used.id
       ), issued AS (
         INSERT INTO refresh_token (id, session_id, token_hash, created_at, expires_at)
         SELECT $4, used.id, $5, $2, used.expires_at FROM used
       )
       SELECT id AS "sessionId", user_id AS "userId", scope FROM used`,
      [
        tokenHash,
        next.now,
        next.expiresAt,
        next.id,
        next.tokenHash,
        sessionMaxAgeSeconds,
        clientId,
      ],
    );
    return session;
  }

  /** What is known of the session that an access token names, while it is alive. */
  async factsOfSession(sessionId: string, now: Date): Promise<TokenFacts | undefined> {
    const [facts] = await this.dataSource.query<TokenFacts[]>(
      `SELECT ${SESSION_FACTS}, session.expires_at AS "expiresAt"
       FROM user_session session JOIN user_account account ON account.id = session.user_id
       WHERE session.id = $1 AND ${SESSION_IS_ALIVE}`,
      [sessionId, now],
    );
    return facts;
  }

  /** As `factsOfSession`, of a refresh token that can be exchanged. */
  async factsOfRefreshToken(tokenHash: Buffer, now: Date): Promise<TokenFacts | undefined> {
    const [facts] = await this.dataSource.query<TokenFacts[]>(
      `SELECT ${SESSION_FACTS}, token.expires_at AS "expiresAt"
       FROM refresh_token token JOIN user_session session ON session.id = token.session_id
         JOIN user_account account ON account.id = session.user_id
       WHERE token.token_hash = $1 AND token.used_at IS NULL AND token.expires_at > $2
         AND ${SESSION_IS_ALIVE}`,
      [tokenHash, now],
    );
    return facts;
  }
}

/** How an exchange went: a session was opened, or the code was used up for nothing, or neither. */
export interface ExchangedCode {
  readonly wasUnused: boolean;
  readonly session: ClientSession | undefined;
}

interface ExchangeRow {
  readonly sessionId: string | null;
  readonly userId: string;
  readonly scope: string;
}
