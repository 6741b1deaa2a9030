import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, WriteBehind } from '#libs/core';
import { authEvents } from '../auth.events.js';
import { authSettings } from '../auth.settings.js';
import { assessUse, deviceOf, type SessionOrigin } from './session-risk.js';
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
 * their ends on, and finds those that are used from elsewhere than they were begun. What could not be
 * written is written with what comes; while there is no room for more, more is not noted.
 */
@Injectable()
export class SessionActivity implements BeforeApplicationShutdown {
  private used = new Map<string, Usage>();
  /** Whether the last write failed; the next one is not hurried then. */
  private hasFailed = false;
  /** What is being written for all sessions. */
  private underWay:
    { readonly used: ReadonlyMap<string, Usage>; readonly written: Promise<unknown> } | undefined;
  /** One write at a time: two would wait for each other's sessions. */
  private readonly behind = new WriteBehind({
    delayMs: () => this.settings.get(authSettings).sessionActivityFlushMs,
    isDue: () => this.used.size > 0,
    write: () => this.write(),
    onError: (error) => authEvents.publish(() => ({ type: 'session-activity-unwritten', error })),
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
    const { sessionActivityMaxEntries } = this.settings.get(authSettings);
    if (this.used.size >= sessionActivityMaxEntries && !this.hasFailed) this.behind.start();
    if (this.used.size >= sessionActivityMaxEntries) return;
    const { ip: address, headers } = request;
    const userAgent = deviceOf(headers['user-agent']);
    this.used.set(sessionId, { requests: 1, lastActiveAtMs: nowMs, address, userAgent });
    this.behind.schedule();
  }

  /** Writes the use of one session, so that what is read of it next is up to date. */
  async flushOne(sessionId: string): Promise<void> {
    if (this.underWay?.used.has(sessionId) === true) await this.underWay.written;
    const usage = this.used.get(sessionId);
    if (usage === undefined) return;
    this.used.delete(sessionId);
    const used = new Map([[sessionId, usage]]);
    await this.compare(await this.add(used), used);
  }

  /** Writes what was noted so far, and waits for it. Never rejects. */
  flush(): Promise<void> {
    return this.behind.flush();
  }

  /** Before connections are closed. */
  beforeApplicationShutdown(): Promise<void> {
    return this.behind.close();
  }

  private async write(): Promise<void> {
    const used = this.used;
    this.used = new Map();
    const added = this.add(used);
    this.underWay = { used, written: Promise.allSettled([added]) };
    let begun: readonly StoredOrigin[];
    try {
      begun = await added;
    } finally {
      this.underWay = undefined;
    }
    await this.compare(begun, used);
  }

  private async add(used: ReadonlyMap<string, Usage>): Promise<readonly StoredOrigin[]> {
    const usages = Array.from(used, ([sessionId, { requests, lastActiveAtMs }]) => ({
      sessionId,
      requests,
      lastActiveAt: new Date(lastActiveAtMs),
    }));
    try {
      const begun = await this.store.addUsage(usages, this.settings.get(authSettings));
      this.hasFailed = false;
      return begun;
    } catch (error) {
      this.hasFailed = true;
      this.putBack(used);
      throw error;
    }
  }

  private putBack(unwritten: ReadonlyMap<string, Usage>): void {
    const { sessionActivityMaxEntries } = this.settings.get(authSettings);
    for (const [sessionId, usage] of unwritten) {
      const later = this.used.get(sessionId);
      if (later !== undefined) later.requests += usage.requests;
      else if (this.used.size < sessionActivityMaxEntries) this.used.set(sessionId, usage);
    }
    this.behind.schedule();
  }

  private async compare(
    begun: readonly StoredOrigin[],
    used: ReadonlyMap<string, Usage>,
  ): Promise<void> {
    for (const session of begun) {
      const { sessionId, userId, risk, anomalies } = session;
      const { address, userAgent } = used.get(sessionId) ?? {};
      const origin = { address, userAgent };
      const began = {
        address: session.address ?? undefined,
        userAgent: session.userAgent ?? undefined,
      };
      const found = assessUse({ risk, anomalies, origin: began }, origin);
      if (found.anomalies.length === anomalies.length) continue;
      await this.renewal.reassess(userId, sessionId, origin);
    }
  }
}
