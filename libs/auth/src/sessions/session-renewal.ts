import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { authEvents } from '../auth.events.js';
import { authSettings } from '../auth.settings.js';
import { PrincipalCache } from '../principals/principal.cache.js';
import { type EvaluatedProfile, SessionProfiles } from './session-profiles.js';
import type { SessionOrigin } from './session-risk.js';
import { type LiveSessionRow, SessionStore } from './session.store.js';
import { SessionUseStore } from './session-use.store.js';

/** A session after its time-out was worked out anew. */
export interface RenewedSession extends EvaluatedProfile {
  readonly expiresAt: Date;
}

/** Gives live sessions the time-out that they deserve now. */
@Injectable()
export class SessionRenewal {
  constructor(
    private readonly store: SessionStore,
    private readonly uses: SessionUseStore,
    private readonly profiles: SessionProfiles,
    private readonly principals: PrincipalCache,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /**
   * Counts the time-out of a session from now on.
   * @returns undefined when the session has ended
   */
  async renew(
    session: LiveSessionRow,
    change: { readonly origin?: SessionOrigin; readonly important?: boolean | undefined } = {},
  ): Promise<RenewedSession | undefined> {
    const evaluated = await this.profiles.ofUse(session, change);
    const { profile } = evaluated;
    const now = this.clock.now();
    const limits = this.settings.get(authSettings);
    const expiresAt = await this.uses.changeProfile(session.id, profile, now, limits);
    if (expiresAt === undefined) return undefined;
    // What is in memory may live longer than the session does now.
    if (expiresAt < session.expiresAt) await this.principals.forgetSession(session.id);
    if (profile.anomalies.length > session.anomalies.length) {
      const { userId, id: sessionId } = session;
      const { risk, anomalies } = profile;
      authEvents.publish(() => ({ type: 'session-anomaly', userId, sessionId, risk, anomalies }));
    }
    return { ...evaluated, expiresAt };
  }

  /** As `renew`, for a session that was seen to be used from `origin`. */
  async reassess(userId: string, sessionId: string, origin: SessionOrigin): Promise<void> {
    const session = await this.store.findLive(userId, sessionId, this.clock.now());
    if (session !== undefined) await this.renew(session, { origin });
  }
}
