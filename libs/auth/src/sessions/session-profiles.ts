import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { authSettings } from '../auth.settings.js';
import { assessLogin, assessUse, type SessionOrigin } from './session-risk.js';
import type { LiveSessionRow, SessionProfile } from './session.store.js';
import { SessionUseStore, type UserHistory } from './session-use.store.js';
import {
  lastSessionsOfDay,
  sessionTimeout,
  type SessionTimeout,
  type SessionUse,
} from './session-timeout.js';

/** What a session that begins is known by. */
export interface SessionStart extends SessionOrigin {
  /** Whether its work was declared to be important. Default: false. */
  readonly important?: boolean | undefined;
  /** Log-ins to the account that failed shortly before. Default: 0. */
  readonly failuresBefore?: number | undefined;
  /** What the password was checked against, which the account must still have. Default: anything. */
  readonly passwordHash?: string | undefined;
}

/** A profile, and how it came about. */
export interface EvaluatedProfile {
  readonly profile: SessionProfile;
  readonly timeout: SessionTimeout;
  /** The sessions that activity was learned from. */
  readonly uses: readonly SessionUse[];
}

const DAY_MS = 86_400_000;
/** Networks and devices are familiar for so long. */
const FAMILIAR_MS = 30 * DAY_MS;

/** Works out how long sessions may be unused, from what their users did before. */
@Injectable()
export class SessionProfiles {
  constructor(
    private readonly store: SessionUseStore,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /** The profile of a session that begins. */
  async ofStart(userId: string, start: SessionStart): Promise<SessionProfile> {
    const history = await this.historyOf(userId);
    const assessment = assessLogin(start, history.sessions, start.failuresBefore ?? 0);
    const { profile } = this.evaluate(history, assessment, start.important ?? false);
    return profile;
  }

  /** The profile that a session deserves now, with what `change` says of it. */
  async ofUse(
    session: LiveSessionRow,
    change: { readonly origin?: SessionOrigin; readonly important?: boolean | undefined } = {},
  ): Promise<EvaluatedProfile> {
    const { risk, anomalies, address, userAgent, important } = session;
    const began = { address: address ?? undefined, userAgent: userAgent ?? undefined };
    const assessment =
      change.origin === undefined
        ? { risk, anomalies }
        : assessUse({ risk, anomalies, origin: began }, change.origin);
    const history = await this.historyOf(session.userId);
    return this.evaluate(history, assessment, change.important ?? important);
  }

  private historyOf(userId: string): Promise<UserHistory> {
    return this.store.historyOf(userId, new Date(this.clock.nowMs() - FAMILIAR_MS));
  }

  private evaluate(
    { roles, sessions }: UserHistory,
    assessment: Pick<SessionProfile, 'risk' | 'anomalies'>,
    important: boolean,
  ): EvaluatedProfile {
    const uses = lastSessionsOfDay(sessions, this.clock.nowMs());
    const timeout = sessionTimeout({ uses, roles, important, risk: assessment.risk });
    const { adaptiveSessions } = this.settings.get(authSettings);
    const idleTimeoutSeconds = adaptiveSessions ? timeout.timeoutSeconds : null;
    return { profile: { ...assessment, important, idleTimeoutSeconds }, timeout, uses };
  }
}
