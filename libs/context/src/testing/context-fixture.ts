import { CACHE_KINDS, CacheHub, type CacheKind, Caches } from '#libs/cache';
import { SettingsStore } from '#libs/config';
import {
  AccessControl,
  type Clock,
  ManualClock,
  newId,
  type Principal,
  SystemClock,
} from '#libs/core';
import type { DataSource } from 'typeorm';
import { contextSettings, type ContextSettings } from '../context.settings.js';
import { type Context, createContext } from '../create-context.js';
import type { NewEntry } from '../port/store-entry.js';
import { EmbeddingProvider } from '../ranking/embedding-provider.js';
import type { SourceView } from '../services/views.js';

/** Allows everything but what a test forbids, as `action resource`. */
export class OpenAccess extends AccessControl {
  readonly forbidden = new Set<string>();

  override isAllowed(_: Principal, resource: string, action: string): boolean {
    return !this.forbidden.has(`${action} ${resource}`);
  }
}

/** An embedding service that finds all texts alike, unless it is made to fail. */
export class SwitchableEmbeddings extends EmbeddingProvider {
  failure: Error | undefined;

  override embed(texts: readonly string[]): Promise<Uint8Array[]> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return Promise.resolve(texts.map(() => Uint8Array.of(1, 2, 3)));
  }
}

/** A member of an organization of their own, unless another is given. */
export function principal(organizationId = newId()): Principal {
  const userId = newId();
  return { userId, organizationId, email: `${userId}@test.example`, roles: [], grants: [] };
}

export interface FixtureOptions {
  readonly settings?: Partial<ContextSettings>;
  readonly clock?: Clock;
  readonly embeddings?: EmbeddingProvider;
  /** Default: none, so that each question is answered anew. */
  readonly caches?: Caches;
}

/** The caches of a process that is alone, in its memory. */
export function memoryCaches(clock: Clock): Caches {
  const budgets = Object.fromEntries(CACHE_KINDS.map((kind) => [kind, 16_777_216])) as Record<
    CacheKind,
    number
  >;
  return new Caches(new CacheHub({ clock, clockResolutionMs: 0 }), budgets, { freeze: true });
}

/** The services of this lib over a test's database, with one user at work. */
export class ContextFixture {
  readonly access = new OpenAccess();
  readonly clock: Clock;
  readonly context: Context;
  readonly user = principal();
  readonly settings: SettingsStore;

  constructor(dataSource: DataSource, options: FixtureOptions = {}) {
    this.clock = options.clock ?? new SystemClock();
    this.settings = new SettingsStore([contextSettings], {
      overrides: { context: options.settings ?? {} },
    });
    this.context = createContext({
      dataSource,
      settings: this.settings,
      clock: this.clock,
      access: this.access,
      embeddings: options.embeddings,
      caches: options.caches,
    });
  }

  /** Makes a source of the user and fills it; the index has followed when this resolves. */
  async source(name: string, entries: readonly (NewEntry | string)[] = []): Promise<SourceView> {
    const source = await this.context.sources.create(this.user, { name, kind: 'conversation' });
    for (const entry of entries) {
      await this.context.entries.add(
        this.user,
        name,
        typeof entry === 'string' ? { text: entry } : entry,
      );
    }
    await this.settle();
    return source;
  }

  /** Waits for what happens behind the answers. */
  async settle(): Promise<void> {
    await this.context.stores.indexer.settle();
    await this.context.recorder.flush();
    await this.context.maintenance.settle();
  }

  close(): Promise<void> {
    return this.context.close();
  }
}

/** A clock that tests move. */
export function stoppedClock(): ManualClock {
  return new ManualClock(Date.UTC(2026, 4, 1, 12));
}
