import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { DataSource, type EntityManager } from 'typeorm';
import { authEvents } from '../auth.events.js';
import { authSettings } from '../auth.settings.js';
import { AccountConflictError } from '../errors/account-conflict.error.js';
import { AccountNotFoundError } from '../errors/account-not-found.error.js';
import { AuthorizationCodeStore } from '../oauth/authorization-code.store.js';
import { PrincipalCache } from '../principals/principal.cache.js';
import { SessionActivity } from './session-activity.js';
import { adviseOn, type SessionAdvice } from './session-advice.js';
import { type EvaluatedProfile, SessionProfiles } from './session-profiles.js';
import { type RenewedSession, SessionRenewal } from './session-renewal.js';
import { type LiveSessionRow, SessionStore } from './session.store.js';

export interface SessionAnalytics extends EvaluatedProfile {
  readonly session: LiveSessionRow;
}

/** The live sessions of a user, for that user and for who administers them. */
@Injectable()
export class SessionInsights {
  constructor(
    private readonly dataSource: DataSource,
    private readonly store: SessionStore,
    private readonly codes: AuthorizationCodeStore,
    private readonly profiles: SessionProfiles,
    private readonly renewal: SessionRenewal,
    private readonly activity: SessionActivity,
    private readonly principals: PrincipalCache,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /** At most `limit` live sessions with ids after `afterId`, oldest first. */
  list(userId: string, limit: number, afterId?: string): Promise<LiveSessionRow[]> {
    return this.store.listLive(userId, this.clock.now(), limit, afterId);
  }

  /** Ends one session. @throws AccountNotFoundError when it is not the user's, or has ended */
  async end(userId: string, sessionId: string): Promise<void> {
    await this.find(userId, sessionId);
    await this.store.revoke(sessionId, this.clock.now(), 'revoked');
    await this.principals.forgetSession(sessionId);
    authEvents.publish(() => ({ type: 'sessions-ended', userId, count: 1 }));
  }

  /**
   * Ends all sessions of a user, or all but one, and takes back the codes that would open others.
   * @param options.by who ends them, when it is not the user
   * @param change what they end because of: done first, in the same transaction
   * @returns how many were ended
   */
  async endAll(
    userId: string,
    options: {
      readonly exceptSessionId?: string;
      readonly by?: string;
      readonly because?: 'revoked' | 'password';
    } = {},
    change?: (manager: EntityManager) => Promise<void>,
  ): Promise<number> {
    const { exceptSessionId, by, because = 'revoked' } = options;
    const count = await this.dataSource.transaction(async (manager) => {
      await change?.(manager);
      // Codes first: one that is exchanged in this moment is waited for, and its session found.
      await this.codes.withdraw(manager, userId);
      return this.store.revokeAll(manager, userId, this.clock.now(), because, exceptSessionId);
    });
    await this.principals.forgetUser(userId);
    authEvents.publish(() => ({
      type: 'sessions-ended',
      userId,
      count,
      ...(by !== undefined && { by }),
    }));
    return count;
  }

  /**
   * What the time-out of a session would be now, and what it is made of.
   * @throws as `end`; AccountConflictError AUTH_SESSION_OF_CLIENT, as its tokens alone limit such a one
   */
  async analyse(userId: string, sessionId: string): Promise<SessionAnalytics> {
    await this.activity.flushOne(sessionId);
    const session = await this.findOfLogin(userId, sessionId);
    return { session, ...(await this.profiles.ofUse(session)) };
  }

  /** Whether to renew a session, and why. @throws as `analyse` */
  async advise(
    userId: string,
    sessionId: string,
  ): Promise<SessionAdvice & { readonly timeoutIfRenewedSeconds: number }> {
    const { session, timeout } = await this.analyse(userId, sessionId);
    const { sessionMaxAgeSeconds } = this.settings.get(authSettings);
    return {
      ...adviseOn(session, timeout, this.clock.nowMs(), sessionMaxAgeSeconds),
      timeoutIfRenewedSeconds: timeout.timeoutSeconds,
    };
  }

  /**
   * Counts the time-out of a session from now on, and works it out anew.
   * @param important whether the work of the session is important from now on; default: as before
   * @throws as `analyse`
   */
  async renew(userId: string, sessionId: string, important?: boolean): Promise<RenewedSession> {
    await this.activity.flushOne(sessionId);
    const renewed = await this.renewal.renew(await this.findOfLogin(userId, sessionId), {
      important,
    });
    if (renewed === undefined) throw new AccountNotFoundError('session');
    authEvents.publish(() => ({ type: 'session-renewed', userId, sessionId }));
    return renewed;
  }

  private async find(userId: string, sessionId: string): Promise<LiveSessionRow> {
    const session = await this.store.findLive(userId, sessionId, this.clock.now());
    if (session === undefined) throw new AccountNotFoundError('session');
    return session;
  }

  private async findOfLogin(userId: string, sessionId: string): Promise<LiveSessionRow> {
    const session = await this.find(userId, sessionId);
    if (session.clientId === null) return session;
    throw new AccountConflictError(
      'AUTH_SESSION_OF_CLIENT',
      'This is the session of an OAuth client, which its tokens alone limit; it can be ended.',
    );
  }
}
