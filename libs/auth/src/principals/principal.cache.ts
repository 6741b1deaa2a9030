import { Injectable, Optional } from '@nestjs/common';
import { type Cache, Caches } from '#libs/cache';
import { SettingsStore } from '#libs/config';
import { Clock, type Principal } from '#libs/core';
import { authSettings } from '../auth.settings.js';
import { SessionUseStore } from '../sessions/session-use.store.js';
import { confirmEviction, PRINCIPALS_TAG, tagOfUser } from './eviction.js';
import { type LiveSession, PrincipalLoader } from './principal.loader.js';

const NAMESPACE = 'auth.principal';
/** More than the use of a session waits to be written. */
const ABOUT_TO_END_MS = 60_000;

/**
 * The principals behind sessions, in the memory of this process. Whoever changes a user, a role or a
 * session awaits `forget…` after the commit and before the answer: then no process serves what was
 * before. While this process cannot hear the others it asks the database each time, as it does
 * without a cache.
 *
 * Grants are not put into shared levels: reading them there costs as much as the statement itself.
 */
@Injectable()
export class PrincipalCache {
  private readonly cache: Cache<LiveSession> | undefined;

  constructor(
    private readonly loader: PrincipalLoader,
    private readonly sessions: SessionUseStore,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
    @Optional() private readonly caches?: Caches,
  ) {
    this.cache = caches?.open<LiveSession>(NAMESPACE, {
      kind: 'session',
      useTiers: false,
      maxItems: settings.get(authSettings).principalCacheEntries,
      ttlMs: (session) => this.lifeOf(session),
    });
  }

  /** The principal behind a session; undefined when it has ended or the user is disabled. */
  async ofSession(userId: string, sessionId: string): Promise<Principal | undefined> {
    const load = (): Promise<LiveSession | undefined> => this.load(userId, sessionId);
    const session =
      this.cache === undefined || !this.isKept
        ? await load()
        : // What is undefined is not stored: a session that has ended is asked for each time.
          await (this.cache as Cache<LiveSession | undefined>).getOrSet(sessionId, load, {
            tags: [tagOfUser(userId), PRINCIPALS_TAG],
          });
    return session?.principal.userId === userId ? session.principal : undefined;
  }

  /**
   * The use of sessions is written now and then. One that is about to end is moved on first, or it
   * would end in spite of the request that asks.
   */
  private async load(userId: string, sessionId: string): Promise<LiveSession | undefined> {
    const now = this.clock.now();
    const session = await this.loader.ofSession(userId, sessionId, now);
    if (session === undefined) return undefined;
    if (session.expiresAt.getTime() - now.getTime() > ABOUT_TO_END_MS) return session;
    const limits = this.settings.get(authSettings);
    const expiresAt = await this.sessions.keepAlive(sessionId, now, limits);
    return expiresAt === undefined ? undefined : { ...session, expiresAt };
  }

  /** As `ofSession`, when it is in memory and may be served from there. */
  held(userId: string, sessionId: string): Principal | undefined {
    if (this.cache === undefined || !this.isKept) return undefined;
    const principal = this.cache.hit(sessionId)?.principal;
    return principal?.userId === userId ? principal : undefined;
  }

  /** The user was changed: roles, grants, or whether they may come in. Never rejects. */
  forgetUser(userId: string): Promise<void> {
    return confirmEviction('user', async () => this.caches?.invalidateTags([tagOfUser(userId)]));
  }

  /** A role was changed or deleted, and so everybody who has it; one step however many. Never rejects. */
  forgetRole(): Promise<void> {
    return confirmEviction('role', async () => this.caches?.invalidateTags([PRINCIPALS_TAG]));
  }

  /** The sessions of a client have ended, or may do less; one step however many. Never rejects. */
  forgetClient(): Promise<void> {
    return confirmEviction('client', async () => this.caches?.invalidateTags([PRINCIPALS_TAG]));
  }

  /** The session has ended. Never rejects. */
  forgetSession(sessionId: string): Promise<void> {
    return confirmEviction('session', async () => this.cache?.delete(sessionId));
  }

  /** Whether what is in memory may be served, which only who hears of changes can tell. */
  private get isKept(): boolean {
    return this.caches?.hub.isInSync === true && this.ttlMs > 0;
  }

  private get ttlMs(): number {
    return this.settings.get(authSettings).principalCacheTtlSeconds * 1000;
  }

  private lifeOf({ expiresAt }: LiveSession): number {
    return Math.min(this.ttlMs, expiresAt.getTime() - this.clock.nowMs());
  }
}
