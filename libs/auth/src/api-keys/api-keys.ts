import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, newId, type PermissionGrant, type Principal } from '#libs/core';
import { DataSource, type EntityManager } from 'typeorm';
import { type ActionScope, coversScope } from '../access/grant-coverage.js';
import { requireCoverage } from '../administration/delegation.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { AccountConflictError } from '../errors/account-conflict.error.js';
import { AccountInputError } from '../errors/account-input.error.js';
import { AccountNotFoundError } from '../errors/account-not-found.error.js';
import { ForbiddenError } from '../errors/forbidden.error.js';
import { ApiKeyCache } from './api-key.cache.js';
import { apiKeySettings } from './api-key.settings.js';
import { ApiKeyStore, type ApiKeyView } from './api-key.store.js';
import { newApiKeyText } from './api-key-text.js';

export interface ApiKeyRequest {
  readonly name: string;
  readonly scope: readonly ActionScope[];
  /** Default: `apiKeys.lifeSeconds`. */
  readonly expiresInSeconds?: number | undefined;
}

export interface ApiKeyRotation {
  /** Default: `apiKeys.overlapSeconds`. */
  readonly overlapSeconds?: number | undefined;
  /** Of the new text. Default: `apiKeys.lifeSeconds`. */
  readonly expiresInSeconds?: number | undefined;
}

/** A key can be limited after it was made, never widened. */
export interface ApiKeyChange {
  readonly name?: string | undefined;
  readonly scope?: readonly ActionScope[] | undefined;
  readonly expiresInSeconds?: number | undefined;
}

/** A key with its text, which nobody sees again. */
export interface IssuedApiKey extends ApiKeyView {
  readonly key: string;
}

/**
 * The API keys of the caller; those of others do not exist here.
 *
 * A key acts for its owner within its scope, so it can never do more than they can at that moment,
 * and works only while they are active. Each change is recorded in the transaction that makes it,
 * and holds on every instance when the answer is out.
 */
@Injectable()
export class ApiKeys {
  constructor(
    private readonly dataSource: DataSource,
    private readonly store: ApiKeyStore,
    private readonly cache: ApiKeyCache,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /** At most `limit` keys with ids after `afterId`, the oldest first. */
  list(caller: Principal, limit: number, afterId?: string): Promise<ApiKeyView[]> {
    return this.store.list(caller.userId, this.clock.now(), limit, afterId);
  }

  /** @throws AccountNotFoundError */
  async get(caller: Principal, id: string): Promise<ApiKeyView> {
    return found(await this.store.find(caller.userId, this.clock.now(), id));
  }

  /**
   * @throws ForbiddenError AUTH_GRANT_EXCEEDS_OWN when the scope goes beyond the caller's permissions
   * @throws AccountConflictError AUTH_API_KEY_LIMIT
   * @throws AccountInputError AUTH_API_KEY_LIFE for a life that the settings do not allow
   */
  create(
    caller: Principal,
    { name, scope, expiresInSeconds }: ApiKeyRequest,
  ): Promise<IssuedApiKey> {
    requireCoverage(caller, scope.map(asGrant));
    const now = this.clock.now();
    const expiresAt = this.endOf(now, expiresInSeconds);
    const { text, lookupId, hash } = newApiKeyText();
    const keyId = newId(now.getTime());
    const { userId } = caller;
    return this.dataSource.transaction(async (manager) => {
      const { keysPerUser } = this.settings.get(apiKeySettings);
      if ((await this.store.countForNext(manager, userId, now)) >= keysPerUser) {
        throw new AccountConflictError(
          'AUTH_API_KEY_LIMIT',
          `Nobody has more than ${keysPerUser} API keys that work; revoke one first.`,
        );
      }
      const first = { keyId, version: 1, lookupId, hash, now, expiresAt };
      await this.store.add(manager, { id: keyId, userId, name, scope }, first);
      await this.record(manager, 'api-key-created', keyId, { name, scope, expiresAt });
      return { ...found(await this.store.find(userId, now, keyId, manager)), key: text };
    });
  }

  /**
   * Renames a key, or limits it: to less than it may now, or to an earlier end.
   * @throws AccountNotFoundError, ForbiddenError AUTH_API_KEY_WIDENED, AccountConflictError
   * AUTH_API_KEY_ENDED
   */
  async change(caller: Principal, id: string, change: ApiKeyChange): Promise<ApiKeyView> {
    const changed = await this.withLiveKey(caller, id, async (manager, key, now) => {
      const { name = key.name, scope = key.scope, expiresInSeconds } = change;
      const expiresAt =
        expiresInSeconds === undefined ? key.expiresAt : this.endOf(now, expiresInSeconds);
      const held = key.scope.map(asGrant);
      if (expiresAt > key.expiresAt || scope.some((wanted) => !coversScope(held, wanted))) {
        throw new ForbiddenError(
          'AUTH_API_KEY_WIDENED',
          'An API key can be limited, never widened; make a new one.',
        );
      }
      await this.store.change(manager, id, { name, scope, expiresAt });
      await this.record(manager, 'api-key-changed', id, { name, scope, expiresAt });
      return found(await this.store.find(caller.userId, now, id, manager));
    });
    await this.cache.forget(id);
    return changed;
  }

  /**
   * Makes the next text of a key, and the key ends when that does. The one before works on for the
   * overlap, if the key lives so long, and no other: two at most work at a time.
   * @throws AccountNotFoundError, AccountConflictError AUTH_API_KEY_ENDED, AccountInputError
   * AUTH_API_KEY_LIFE, ForbiddenError AUTH_GRANT_EXCEEDS_OWN
   */
  async rotate(caller: Principal, id: string, rotation: ApiKeyRotation): Promise<IssuedApiKey> {
    const issued = await this.withLiveKey(caller, id, async (manager, key, now) => {
      // Who may do less than when the key was made gets no new text for what they have lost.
      requireCoverage(caller, key.scope.map(asGrant));
      const expiresAt = this.endOf(now, rotation.expiresInSeconds);
      const overlapEnds = earlier(this.overlapOf(now, rotation.overlapSeconds), expiresAt);
      const { text, lookupId, hash } = newApiKeyText();
      const version = key.version + 1;
      const next = { keyId: id, version, lookupId, hash, now, expiresAt };
      await this.store.rotate(manager, next, overlapEnds);
      await this.record(manager, 'api-key-rotated', id, { version, expiresAt, overlapEnds });
      const rotated = found(await this.store.find(caller.userId, now, id, manager));
      return { ...rotated, key: text };
    });
    await this.cache.forget(id);
    return issued;
  }

  /** Ends a key for good; ending it again is no error. @throws AccountNotFoundError */
  async revoke(caller: Principal, id: string): Promise<void> {
    const now = this.clock.now();
    await this.dataSource.transaction(async (manager) => {
      const key = found(await this.store.lock(manager, caller.userId, now, id));
      if (key.status === 'revoked') return;
      await this.store.revoke(manager, id, now);
      await this.record(manager, 'api-key-revoked', id, { name: key.name });
    });
    await this.cache.forget(id);
  }

  private withLiveKey<Result>(
    caller: Principal,
    id: string,
    work: (manager: EntityManager, key: ApiKeyView, now: Date) => Promise<Result>,
  ): Promise<Result> {
    const now = this.clock.now();
    return this.dataSource.transaction(async (manager) => {
      const key = found(await this.store.lock(manager, caller.userId, now, id));
      if (key.status !== 'active') {
        throw new AccountConflictError(
          'AUTH_API_KEY_ENDED',
          'This API key has ended; make a new one.',
        );
      }
      return work(manager, key, now);
    });
  }

  private endOf(now: Date, seconds: number | undefined): Date {
    const { lifeSeconds, maxLifeSeconds } = this.settings.get(apiKeySettings);
    if (seconds !== undefined && seconds > maxLifeSeconds) {
      throw tooLong('body.expiresInSeconds', 'lives', maxLifeSeconds);
    }
    return later(now, seconds ?? Math.min(lifeSeconds, maxLifeSeconds));
  }

  private overlapOf(now: Date, seconds: number | undefined): Date {
    const { overlapSeconds, maxOverlapSeconds } = this.settings.get(apiKeySettings);
    if (seconds !== undefined && seconds > maxOverlapSeconds) {
      throw tooLong('body.overlapSeconds', 'overlaps the next for', maxOverlapSeconds);
    }
    return later(now, seconds ?? Math.min(overlapSeconds, maxOverlapSeconds));
  }

  private record(
    manager: EntityManager,
    type: string,
    keyId: string,
    details: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    return this.audit.record({ type, target: { kind: 'api-key', id: keyId }, details }, manager);
  }
}

function found<Found>(key: Found | undefined): Found {
  if (key === undefined) throw new AccountNotFoundError('API key');
  return key;
}

function asGrant({ resource, action }: ActionScope): PermissionGrant {
  return { resource, action, effect: 'allow' };
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}

function later(now: Date, seconds: number): Date {
  return new Date(now.getTime() + seconds * 1000);
}

function tooLong(path: string, does: string, seconds: number): AccountInputError {
  return new AccountInputError(
    'AUTH_API_KEY_LIFE',
    path,
    `No API key ${does} more than ${seconds} s here.`,
  );
}
