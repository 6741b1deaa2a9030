import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, newId } from '#libs/core';
import { authEvents } from '../auth.events.js';
import { authSettings } from '../auth.settings.js';
import { AccountConflictError } from '../errors/account-conflict.error.js';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';
import { PrincipalCache } from '../principals/principal.cache.js';
import { AccessTokens } from '../tokens/access-tokens.js';
import { refreshTokens } from '../tokens/opaque-token.js';
import { RefreshTokens } from './refresh-tokens.js';
import { SessionProfiles, type SessionStart } from './session-profiles.js';
import { SessionRenewal } from './session-renewal.js';
import type { SessionOrigin } from './session-risk.js';
import { type LiveSessionRow, type SessionOwner, SessionStore } from './session.store.js';

/** What a log-in or a refresh hands out. */
export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tokenType: 'Bearer';
  /** Life of the access token. */
  readonly expiresInSeconds: number;
}

/** Sessions: opened by a log-in, carried on by use and refreshes, ended by log-out, by time or by theft. */
@Injectable()
export class Sessions {
  constructor(
    private readonly store: SessionStore,
    private readonly accessTokens: AccessTokens,
    private readonly profiles: SessionProfiles,
    private readonly renewal: SessionRenewal,
    private readonly tokens: RefreshTokens,
    private readonly principals: PrincipalCache,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /**
   * Opens a session for a user whose credentials were checked.
   * @throws UnauthenticatedError AUTH_CREDENTIALS_INVALID when they are not right any more
   */
  async open(userId: string, start: SessionStart = {}): Promise<TokenPair> {
    const owner = { userId, sessionId: newId(this.clock.nowMs()) };
    const { token: refreshToken, row } = this.tokens.next(refreshTokens);
    const profile = await this.profiles.ofStart(userId, start);
    if (!(await this.store.open(owner, row, profile, start, start.passwordHash))) {
      throw new UnauthenticatedError('AUTH_CREDENTIALS_INVALID');
    }
    if (profile.anomalies.length > 0) {
      const { risk, anomalies } = profile;
      authEvents.publish(() => ({ type: 'session-anomaly', ...owner, risk, anomalies }));
    }
    return this.pair(owner, refreshToken);
  }

  /**
   * Exchanges a refresh token for a new pair, and works the time-out of its session out anew.
   * @throws UnauthenticatedError when the token is unknown, expired, stolen or its session ended
   * @throws AccountConflictError when another request has just exchanged it
   */
  async refresh(token: string, origin?: SessionOrigin): Promise<TokenPair> {
    const tokenHash = refreshTokens.hashOf(token);
    if (tokenHash === undefined) throw new UnauthenticatedError('AUTH_REFRESH_TOKEN_INVALID');
    const { token: refreshToken, row } = this.tokens.next(refreshTokens);
    const { sessionMaxAgeSeconds } = this.settings.get(authSettings);
    const session = await this.store.rotate(tokenHash, row, sessionMaxAgeSeconds);
    if (session === undefined) throw await this.refusal(tokenHash);
    const { userId, id: sessionId } = session;
    authEvents.publish(() => ({ type: 'refreshed', userId }));
    await this.reassess(session, origin);
    return this.pair({ userId, sessionId }, refreshToken);
  }

  /** The token is exchanged already: whatever goes wrong here must not keep its successor back. */
  private async reassess(session: LiveSessionRow, origin?: SessionOrigin): Promise<void> {
    try {
      await this.renewal.renew(session, origin === undefined ? {} : { origin });
    } catch (error) {
      authEvents.publish(() => ({ type: 'session-activity-unwritten', error }));
    }
  }

  /** Ends a session and all its tokens. Ending it again is no error. */
  async end(sessionId: string): Promise<void> {
    const wasAlive = await this.store.revoke(sessionId, this.clock.now(), 'logout');
    await this.principals.forgetSession(sessionId);
    if (wasAlive) {
      authEvents.publish(() => ({ type: 'logged-out', sessionId }));
    }
  }

  /** Ends the session that a refresh token, used or not, belongs to; an unknown one is no error. */
  async endByRefreshToken(token: string): Promise<void> {
    const tokenHash = refreshTokens.hashOf(token);
    if (tokenHash === undefined) return;
    const found = await this.store.findSpent(tokenHash, this.clock.now());
    if (found !== undefined) await this.end(found.sessionId);
  }

  private async refusal(tokenHash: Buffer): Promise<Error> {
    switch (await this.tokens.refuse(tokenHash)) {
      case 'invalid':
        return new UnauthenticatedError('AUTH_REFRESH_TOKEN_INVALID');
      case 'reused':
        return new UnauthenticatedError('AUTH_REFRESH_TOKEN_REUSED');
      case 'concurrent':
        return new AccountConflictError(
          'AUTH_REFRESH_CONCURRENT',
          'Another request has just exchanged this refresh token; go on with the tokens it was given.',
        );
    }
  }

  private async pair(
    { userId, sessionId }: SessionOwner,
    refreshToken: string,
  ): Promise<TokenPair> {
    const { token, ttlSeconds } = await this.accessTokens.issue(userId, sessionId);
    return {
      accessToken: token,
      refreshToken,
      tokenType: 'Bearer',
      expiresInSeconds: ttlSeconds,
    };
  }
}
