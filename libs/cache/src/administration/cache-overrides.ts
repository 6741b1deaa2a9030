import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { BackgroundTasks } from '#libs/core';
import { cacheSettings } from '../cache.settings.js';
import { CacheHub } from '../engine/cache-hub.js';
import { Caches } from '../managers/caches.js';
import { cacheFault, cacheInvalidation, cacheState } from '../statistics/cache.channels.js';
import {
  type NamespaceOverride,
  NamespaceOverrides,
  namespaceOverrideSchema,
} from './namespace-override.js';
import { CacheOverrideStore } from './override-store.js';

/** Invalidated when an override was written, so that the other processes read them anew. */
const OVERRIDES_TAG = 'cache.overrides';
const NAMESPACE_PREFIX = 'namespace:';
const SETTING_PREFIX = `${cacheSettings.key}.`;
const RETRY_MS = 5_000;

/** A change of overrides by name: a setting of the cache, or of a namespace. Null takes one off. */
export type OverrideChanges = ReadonlyMap<string, unknown>;

/** The name under which the override of a namespace is stored. */
export function namespaceOverrideName(namespace: string): string {
  return NAMESPACE_PREFIX + namespace;
}

/**
 * Changes at run time that last: they stand in PostgreSQL, are in force again after a restart, and
 * reach the other processes by an invalidation, those that did not hear it when they hear again.
 * Settings of the cache become overrides of the settings store, above every other layer.
 */
@Injectable()
export class CacheOverrides implements OnApplicationBootstrap, OnApplicationShutdown {
  private current: ReadonlyMap<string, unknown> = new Map();
  private readonly namespaces: NamespaceOverrides;
  private readonly tasks = new BackgroundTasks((error) => this.report(error));
  private readonly stops: (() => void)[] = [];
  private retry: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly overrides: CacheOverrideStore,
    private readonly settings: SettingsStore,
    private readonly hub: CacheHub,
    caches: Caches,
  ) {
    this.namespaces = new NamespaceOverrides(caches);
    this.stops.push(
      caches.onOpened((namespace) => {
        this.namespaces.remember(namespace);
        const override = this.ofNamespace(namespace.name);
        if (override !== undefined) this.namespaces.apply(namespace.name, override);
      }),
    );
  }

  /** What was changed of a namespace at run time. */
  ofNamespace(name: string): NamespaceOverride | undefined {
    return this.current.get(namespaceOverrideName(name)) as NamespaceOverride | undefined;
  }

  /** Whether a setting has the value that it has because it was changed at run time, to last. */
  hasSetting(path: string): boolean {
    return this.current.has(path);
  }

  async onApplicationBootstrap(): Promise<void> {
    this.stops.push(
      cacheInvalidation.subscribe(({ names, isRemote }) => {
        if (isRemote && names.includes(`t:${OVERRIDES_TAG}`)) this.tasks.run(() => this.reload());
      }),
      cacheState.subscribe(({ state }) => {
        if (state === 'in-sync') this.tasks.run(() => this.reload());
      }),
    );
    await this.reload();
  }

  /**
   * Puts changes in force here, stores them, and tells the other processes. All of them or none.
   * @throws SettingsInvalidError for a value that does not fit, DatabaseError when it cannot be stored
   */
  async change(changes: OverrideChanges, userId: string): Promise<void> {
    const before = this.current;
    const after = new Map(before);
    for (const [name, value] of changes) {
      if (value === null) after.delete(name);
      else after.set(name, value);
    }
    this.putInForce(after);
    try {
      await this.overrides.write(changes, userId);
    } catch (error) {
      this.putInForce(before);
      throw error;
    }
    await this.hub.invalidateTags([OVERRIDES_TAG]);
  }

  async onApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.retry);
    for (const stop of this.stops.splice(0)) stop();
    await this.tasks.drain();
  }

  /** Reads what is stored; tries again later when that fails. */
  private async reload(): Promise<void> {
    try {
      this.putWhatFits(await this.overrides.readAll());
    } catch (error) {
      this.report(error);
      this.retryLater();
    }
  }

  /** One row that does not fit, of another version say, must not keep the others from counting. */
  private putWhatFits(stored: ReadonlyMap<string, unknown>): void {
    try {
      this.putInForce(stored);
    } catch {
      let fitting: ReadonlyMap<string, unknown> = new Map();
      for (const [name, value] of stored) {
        try {
          const more = new Map([...fitting, [name, value]]);
          this.putInForce(more);
          fitting = more;
        } catch (error) {
          this.report(error);
        }
      }
    }
  }

  private retryLater(): void {
    if (this.isClosed) return;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.tasks.run(() => this.reload()), RETRY_MS).unref();
  }

  private putInForce(next: ReadonlyMap<string, unknown>): void {
    const names = new Set([...this.current.keys(), ...next.keys()]);
    const changed = [...names].filter(
      (name) => JSON.stringify(this.current.get(name)) !== JSON.stringify(next.get(name)),
    );
    const namespaces = changed
      .filter((name) => name.startsWith(NAMESPACE_PREFIX))
      .map((name) => ({
        namespace: name.slice(NAMESPACE_PREFIX.length),
        override: namespaceOverrideSchema.parse(next.get(name) ?? {}),
      }));
    const paths = changed.filter((name) => name.startsWith(SETTING_PREFIX));
    const set = paths.filter((path) => next.has(path));
    if (set.length > 0) {
      this.settings.overrideAll(Object.fromEntries(set.map((path) => [path, next.get(path)])));
    }
    const withdrawn = paths.filter((path) => !next.has(path));
    if (withdrawn.length > 0) this.settings.withdrawOverrides(withdrawn);
    this.current = next;
    for (const { namespace, override } of namespaces) this.namespaces.apply(namespace, override);
  }

  private report(error: unknown): void {
    cacheFault.publish(() => ({ part: 'overrides', operation: 'read', error }));
  }
}
