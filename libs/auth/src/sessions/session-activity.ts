import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { BackgroundTasks, Clock } from '#libs/core';
import { authEvents } from '../auth.events.js';
import { authSettings } from '../auth.settings.js';
import { assessUse, type SessionOrigin } from './session-risk.js';
import { SessionRenewal } from './session-renewal.js';
import { SessionUseStore, type StoredOrigin } from './session-use.store.js';

/** What of a request tells where it comes from. */
export interface RequestOrigin {
  readonly ip?: string;
  readonly headers: { readonly 'user-agent'?: string | undefined };
}

interface Usage extends SessionOrigin {
  requests: number;
  lastActiveAtMs: number;
}

/**
 * Notes that sessions are used, and writes it every few seconds in one statement for all: which moves
 * their ends on, and finds those that are used from elsewhere than they were begun.
 */
@Injectable()
export class SessionActivity implements BeforeApplicationShutdown {
  private used = new Map<string, Usage>();
  private timer: NodeJS.Timeout | undefined;
  private readonly tasks = new BackgroundTasks((error) => {
    authEvents.publish(() => ({ type: 'session-activity-unwritten', error }));
  });

  constructor(
    private readonly store: SessionUseStore,
    private readonly renewal: SessionRenewal,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /** A request of the session was let in. The first of a session within a flush tells its origin. */
  note(sessionId: string, request: RequestOrigin): void {
    const nowMs = this.clock.nowMs();
    const usage = this.used.get(sessionId);
    if (usage !== undefined) {
      usage.requests += 1;
      usage.lastActiveAtMs = nowMs;
      return;
    }
    const { ip: address, headers } = request;
    const userAgent = headers['user-agent'];
    this.used.set(sessionId, { requests: 1, lastActiveAtMs: nowMs, address, userAgent });
    const { sessionActivityFlushMs, sessionActivityMaxEntries } = this.settings.get(authSettings);
    if (this.used.size >= sessionActivityMaxEntries) this.tasks.run(() => this.flush());
    this.timer ??= setTimeout(
      () => this.tasks.run(() => this.flush()),
      sessionActivityFlushMs,
    ).unref();
  }

  /** Writes what was noted so far. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.used.size === 0) return;
    const used = this.used;
    this.used = new Map();
    const usages = Array.from(used, ([sessionId, { requests, lastActiveAtMs }]) => ({
      sessionId,
      requests,
      lastActiveAt: new Date(lastActiveAtMs),
    }));
    const begun = await this.store.addUsage(usages, this.settings.get(authSettings));
    for (const session of begun) {
      const usage = used.get(session.sessionId);
      if (usage !== undefined) await this.compare(session, usage);
    }
  }

  /** Before connections are closed. */
  async beforeApplicationShutdown(): Promise<void> {
    this.tasks.run(() => this.flush());
    await this.tasks.drain();
  }

  private async compare(session: StoredOrigin, { address, userAgent }: Usage): Promise<void> {
    const { risk, anomalies } = session;
    const began = {
      address: session.address ?? undefined,
      userAgent: session.userAgent ?? undefined,
    };
    const origin = { address, userAgent };
    const found = assessUse({ risk, anomalies, origin: began }, origin);
    if (found.anomalies.length === anomalies.length) return;
    await this.renewal.reassess(session.userId, session.sessionId, origin);
  }
}
