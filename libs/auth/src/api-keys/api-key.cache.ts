import { hash, timingSafeEqual } from 'node:crypto';
import { Injectable, Optional } from '@nestjs/common';
import { type Cache, Caches } from '#libs/cache';
import { SettingsStore } from '#libs/config';
import { Clock, type Credential, type Principal } from '#libs/core';
import { authSettings } from '../auth.settings.js';
import { confirmEviction, PRINCIPALS_TAG, tagOfUser } from '../principals/eviction.js';
import { PrincipalLoader } from '../principals/principal.loader.js';
import { apiKeySettings } from './api-key.settings.js';
import { apiKeyHash, lookupIdOf } from './api-key-text.js';
import { KeyUsage } from './key-usage.js';

/** A key that works, and what was counted of its use but not written yet. */
export interface LiveApiKey {
  readonly principal: Principal;
  readonly credential: Credential;
  readonly expiresAtMs: number;
  readonly usage: KeyUsage;
}

const NAMESPACE = 'auth.api-key';

/**
 * The keys that work, in the memory of this process, by the hash of their texts. Like principals
 * of sessions they are dropped everywhere before a change of the key, its owner or a role is
 * answered, and none is served past its end.
 */
@Injectable()
export class ApiKeyCache {
  private readonly cache: Cache<LiveApiKey> | undefined;

  constructor(
    private readonly loader: PrincipalLoader,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
    @Optional() private readonly caches?: Caches,
  ) {
    this.cache = caches?.open<LiveApiKey>(NAMESPACE, {
      kind: 'session',
      useTiers: false,
      maxItems: settings.get(apiKeySettings).cacheEntries,
      ttlMs: ({ expiresAtMs }) => Math.min(this.ttlMs, expiresAtMs - clock.nowMs()),
      tags: ({ principal, credential }) => [
        tagOfUser(principal.userId),
        PRINCIPALS_TAG,
        tagOfKey(credential.id),
      ],
    });
  }

  /**
   * The key of this text; undefined when there is none that works. A text that cannot be a key costs no query,
   * any other at most one.
   */
  async find(text: string): Promise<LiveApiKey | undefined> {
    const lookupId = lookupIdOf(text);
    if (lookupId === undefined) return undefined;
    const load = (): Promise<LiveApiKey | undefined> => this.load(lookupId, apiKeyHash(text));
    const key =
      this.cache === undefined || !this.isKept
        ? await load()
        : // What is undefined is not stored: a key that does not work is asked for each time.
          await (this.cache as Cache<LiveApiKey | undefined>).getOrSet(cacheKeyOf(text), load);
    return this.live(key);
  }

  /** As `find`, when the key is in memory and may be served from there. */
  held(cacheKey: string): LiveApiKey | undefined {
    if (this.cache === undefined || !this.isKept) return undefined;
    return this.live(this.cache.hit(cacheKey));
  }

  /** The key was changed, rotated or revoked. Never rejects. */
  forget(keyId: string): Promise<void> {
    return confirmEviction('api-key', async () => this.caches?.invalidateTags([tagOfKey(keyId)]));
  }

  private live(key: LiveApiKey | undefined): LiveApiKey | undefined {
    return key !== undefined && key.expiresAtMs > this.clock.nowMs() ? key : undefined;
  }

  private async load(lookupId: string, keyHash: Buffer): Promise<LiveApiKey | undefined> {
    const found = await this.loader.ofApiKey(lookupId, this.clock.now());
    if (found === undefined || !timingSafeEqual(found.keyHash, keyHash)) return undefined;
    return {
      principal: found.principal,
      credential: { kind: 'api-key', id: found.keyId },
      expiresAtMs: found.expiresAt.getTime(),
      usage: new KeyUsage(lookupId),
    };
  }

  /** Whether what is in memory may be served, which only who hears of changes can tell. */
  private get isKept(): boolean {
    return this.caches?.hub.isInSync === true && this.ttlMs > 0;
  }

  private get ttlMs(): number {
    return this.settings.get(authSettings).principalCacheTtlSeconds * 1000;
  }
}

/** By what a key is held in memory: the hash of its text, never the text itself. */
export function cacheKeyOf(text: string): string {
  return hash('sha256', text, 'base64');
}

function tagOfKey(keyId: string): string {
  return `api-key:${keyId}`;
}
