import { Injectable } from '@nestjs/common';
import type { Principal } from '#libs/core';
import { RootLogger } from '#libs/logging';
import type { Cache } from '../engine/cache.js';
import { CacheHub } from '../engine/cache-hub.js';
import type { InvalidationReceipt } from '../engine/hub-parts.js';
import {
  CacheLevelFixedError,
  CacheLevelUnknownError,
  CacheNamespaceUnknownError,
} from '../errors/cache-administration.errors.js';
import { Caches } from '../managers/caches.js';
import { CacheOverrides, namespaceOverrideName } from './cache-overrides.js';
import { digestOf } from './cache-overview.js';
import { LEVEL_SETTINGS, type LevelField, type LevelName } from './level-settings.js';
import type { NamespaceOverride } from './namespace-override.js';

/** New values of a level's fields; null goes back to what the settings say. */
export type LevelChange = { readonly [Field in LevelField]?: number | boolean | null | undefined };

/** New values of a namespace's rule; null goes back to what the code says. */
export type NamespaceChange = {
  readonly [Field in keyof NamespaceOverride]?: NamespaceOverride[Field] | null;
};

/** Changes the cache for an administrator, and writes a line of the log for each change. */
@Injectable()
export class CacheControl {
  constructor(
    private readonly caches: Caches,
    private readonly hub: CacheHub,
    private readonly overrides: CacheOverrides,
    private readonly root: RootLogger,
  ) {}

  /** In this process at once, in the others as soon as they hear of it, and after a restart. */
  async changeLevel(level: string, change: LevelChange, by: Principal): Promise<void> {
    const known = ['L1', ...this.hub.levels().map((one) => one.level)];
    if (!known.includes(level)) throw new CacheLevelUnknownError(level);
    const paths: Readonly<Record<string, string>> = LEVEL_SETTINGS[level as LevelName];
    const entries = Object.entries(change).filter(([, value]) => value !== undefined);
    const fixed = entries.map(([field]) => field).filter((field) => paths[field] === undefined);
    if (fixed.length > 0) throw new CacheLevelFixedError(level, fixed);
    const changes = entries.map(([field, value]) => [paths[field] as string, value] as const);
    await this.overrides.change(new Map(changes), by.userId);
    this.log('A level of the cache was changed', by, { level, change });
  }

  /** As `changeLevel`, of a namespace that is open here. */
  async changeNamespace(name: string, change: NamespaceChange, by: Principal): Promise<void> {
    this.require(name);
    const merged = { ...this.overrides.ofNamespace(name), ...change };
    const entries = Object.entries(merged).filter(([, value]) => (value ?? null) !== null);
    const value = entries.length === 0 ? null : Object.fromEntries(entries);
    await this.overrides.change(new Map([[namespaceOverrideName(name), value]]), by.userId);
    this.log('A namespace of the cache was changed', by, { namespace: name, change });
  }

  async deleteKeys(
    namespace: string,
    keys: readonly string[],
    by: Principal,
  ): Promise<InvalidationReceipt> {
    const receipt = await this.require(namespace).deleteMany(keys);
    const digests = keys.slice(0, 20).map(digestOf);
    this.log('Keys of the cache were deleted', by, { namespace, keys: keys.length, digests });
    return receipt;
  }

  /** Of every process, whether or not the namespace is open here. */
  async clearNamespace(namespace: string, by: Principal): Promise<InvalidationReceipt> {
    const receipt = await this.caches.clearNamespace(namespace);
    this.log('A namespace of the cache was cleared', by, { namespace });
    return receipt;
  }

  async invalidateTags(tags: readonly string[], by: Principal): Promise<InvalidationReceipt> {
    const receipt = await this.caches.invalidateTags(tags);
    this.log('Tags of the cache were invalidated', by, { tags: tags.slice(0, 20) });
    return receipt;
  }

  async clear(by: Principal): Promise<InvalidationReceipt> {
    const receipt = await this.hub.clear();
    this.log('The cache was cleared', by, {});
    return receipt;
  }

  /** Removes what has expired; numbers by level. */
  async sweep(by: Principal): Promise<{ level: string; removed: number }[]> {
    const first = this.caches.namespaces().reduce((sum, { cache }) => sum + cache.expireSweep(), 0);
    const shared = await this.hub.sweep();
    const levels = [['L1', first] as const, ...shared].map(([level, removed]) => ({
      level,
      removed,
    }));
    this.log('The cache was swept', by, { levels });
    return levels;
  }

  /** @throws CacheNamespaceUnknownError */
  require(namespace: string): Cache {
    const cache = this.caches.find(namespace);
    if (cache === undefined) throw new CacheNamespaceUnknownError(namespace);
    return cache;
  }

  private log(message: string, { userId }: Principal, data: object): void {
    this.root.module('cache').info(message, { by: userId, ...data });
  }
}
