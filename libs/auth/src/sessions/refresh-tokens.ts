import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, newId } from '#libs/core';
import { authEvents } from '../auth.events.js';
import { authSettings } from '../auth.settings.js';
import { PrincipalCache } from '../principals/principal.cache.js';
import type { OpaqueToken } from '../tokens/opaque-token.js';
import { type NewRefreshToken, SessionStore } from './session.store.js';

/** Why a refresh token was not exchanged: it is none or its session has ended, or it was used before. */
export type RefreshRefusal = 'invalid' | 'concurrent' | 'reused';

/**
 * Refresh tokens, of log-ins and of clients.
 *
 * One is good for one exchange (RFC 9700, section 4.14.2). What happens when it comes again depends on
 * when:
 * - within `refreshReuseGraceSeconds` of the exchange: two tabs or a retry. It is refused as concurrent
 *   and nothing else happens; whoever came first goes on.
 * - later: one of the two who hold it has stolen it. The session ends, with every token of it.
 *
 * Nobody ever gets tokens for a used token, so the grace gives a thief nothing; it only delays
 * the alarm.
 */
@Injectable()
export class RefreshTokens {
  constructor(
    private readonly store: SessionStore,
    private readonly principals: PrincipalCache,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /** A token for a session that begins or goes on, and what is stored of it. */
  next(kind: OpaqueToken): { readonly token: string; readonly row: NewRefreshToken } {
    const { token, tokenHash } = kind.issue();
    const now = this.clock.now();
    const { refreshTokenTtlSeconds, sessionMaxAgeSeconds } = this.settings.get(authSettings);
    const lifeSeconds = Math.min(refreshTokenTtlSeconds, sessionMaxAgeSeconds);
    const expiresAt = new Date(now.getTime() + lifeSeconds * 1000);
    return { token, row: { id: newId(now.getTime()), tokenHash, now, expiresAt } };
  }

  /** Finds out why a token could not be exchanged, and ends the session of one that was reused. */
  async refuse(tokenHash: Buffer): Promise<RefreshRefusal> {
    const now = this.clock.now();
    const spent = await this.store.findSpent(tokenHash, now);
    if (spent === undefined || spent.usedAt === null || spent.sessionEnded) return 'invalid';
    const { refreshReuseGraceSeconds } = this.settings.get(authSettings);
    if (now.getTime() - spent.usedAt.getTime() < refreshReuseGraceSeconds * 1000) {
      return 'concurrent';
    }
    const { sessionId, userId } = spent;
    await this.store.revoke(sessionId, now, 'reuse');
    await this.principals.forgetSession(sessionId);
    authEvents.publish(() => ({ type: 'refresh-token-reused', userId, sessionId }));
    return 'reused';
  }
}
