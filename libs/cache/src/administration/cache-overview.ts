import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { cacheSettings } from '../cache.settings.js';
import { HOT_SAMPLE } from '../engine/cache-core.js';
import { CacheHub } from '../engine/cache-hub.js';
import type {
  CacheLevelView,
  CacheManagerView,
  CacheNamespaceView,
  HotKeyView,
  MissedKeyView,
} from '../http/cache.schemas.js';
import { CACHE_KINDS, type CacheKind } from '../managers/cache-kind.js';
import { Caches, type Namespace } from '../managers/caches.js';
import type { CacheStatistics, LevelStatistics } from '../statistics/cache-statistics.js';
import type { TopKey } from '../statistics/top-keys.js';
import type { TierUsage } from '../tier/cache-tier.js';
import { CacheOverrides } from './cache-overrides.js';
import { LEVEL_SETTINGS, type LevelName } from './level-settings.js';
import { levelFigures, managerFigures } from './manager-figures.js';

/** Keys whose digest is shown have so many characters of it. */
const DIGEST_LENGTH = 16;

/** What is known of the cache of this process, for people and programs. It changes nothing. */
@Injectable()
export class CacheOverview {
  constructor(
    private readonly caches: Caches,
    private readonly hub: CacheHub,
    private readonly settings: SettingsStore,
    private readonly overrides: CacheOverrides,
  ) {}

  /** All levels, the fastest first. */
  async levels(): Promise<CacheLevelView[]> {
    const usage = await this.hub.usage();
    return [
      this.firstLevel(),
      ...this.hub.levels().map((level) => this.sharedLevel(level, usage.get(level.level))),
    ];
  }

  /** Every namespace that is open in this process, the most read first. */
  namespaces(): CacheNamespaceView[] {
    return this.caches
      .namespaces()
      .map((namespace) => this.describe(namespace))
      .sort((a, b) => b.hits + b.misses - (a.hits + a.misses) || (a.name < b.name ? -1 : 1));
  }

  /** One namespace; undefined when it is not open in this process. */
  namespace(name: string): CacheNamespaceView | undefined {
    const namespace = this.caches.namespace(name);
    return namespace === undefined ? undefined : this.describe(namespace);
  }

  /** The five kinds, with their budgets and figures. */
  managers(): CacheManagerView[] {
    return CACHE_KINDS.map((kind) => this.manager(kind));
  }

  /** Keys that were missed most often, of one namespace or of all. */
  missedKeys(top: number, showKeys: boolean, namespace?: string): MissedKeyView[] {
    const keys = this.topKeys(top, namespace, ({ missedKeys }) => missedKeys);
    return keys.map(({ namespace, key, count, overcount }) => ({
      namespace,
      key: showKeys ? key : null,
      digest: digestOf(key),
      misses: count,
      overcount,
    }));
  }

  /** Keys that the first level answered most often; one hit in so many is counted. */
  hotKeys(top: number, showKeys: boolean, namespace?: string): HotKeyView[] {
    const keys = this.topKeys(top, namespace, ({ hotKeys }) => hotKeys);
    return keys.map(({ namespace, key, count, overcount }) => ({
      namespace,
      key: showKeys ? key : null,
      digest: digestOf(key),
      hits: count * HOT_SAMPLE,
      overcount: overcount * HOT_SAMPLE,
    }));
  }

  private manager(kind: CacheKind): CacheManagerView {
    const namespaces = this.caches.namespaces(kind);
    return {
      kind,
      budgetBytes: this.caches.budgetOf(kind),
      namespaces: namespaces.map(({ name }) => name).sort(),
      ...managerFigures(namespaces.map(({ cache }) => cache.statistics(0))),
    };
  }

  private firstLevel(): CacheLevelView {
    const statistics = this.caches.namespaces().map(({ cache }) => cache.statistics(0));
    const sum = (of: (one: CacheStatistics) => number): number =>
      statistics.reduce((total, one) => total + of(one), 0);
    const reads = levelFigures(statistics).find(({ level }) => level === 'L1');
    return {
      level: 'L1',
      type: 'memory',
      enabled: true,
      breaker: null,
      ttlMs: this.hub.l1TtlMs,
      timeoutMs: null,
      items: sum(({ items }) => items),
      bytes: sum(({ bytes }) => bytes),
      maxBytes: this.settings.get(cacheSettings).l1MaxBytes,
      hits: reads?.hits ?? 0,
      misses: reads?.misses ?? 0,
      hitRatio: reads?.hitRatio ?? null,
      sets: sum(({ sets }) => sets),
      deletes: sum(({ removed }) => removed.deleted),
      errors: 0,
      skipped: 0,
      refused: sum(({ discarded, rejected }) => discarded + rejected),
      evicted: sum(({ removed }) => removed.size),
      expired: sum(({ removed }) => removed.expired),
      meanMs: reads?.meanMs ?? null,
      rawBytes: null,
      storedBytes: null,
      undecodable: null,
      changed: this.changedOf('L1'),
    };
  }

  private sharedLevel(one: LevelStatistics, usage: TierUsage | undefined): CacheLevelView {
    const { level, hits, misses, sets, deletes, errors, skipped, refused, traffic } = one;
    return {
      level,
      type: one.tier,
      enabled: one.isEnabled,
      breaker: one.state,
      ttlMs: one.ttlMs,
      timeoutMs: one.timeoutMs,
      items: usage?.items ?? null,
      bytes: usage?.bytes ?? null,
      maxBytes: usage?.maxBytes ?? null,
      hits,
      misses,
      hitRatio: ratio(hits, hits + misses),
      sets,
      deletes,
      errors,
      skipped,
      refused,
      evicted: 0,
      expired: one.swept,
      meanMs: ratio(one.answeredMs, one.answered),
      rawBytes: traffic?.rawBytes ?? null,
      storedBytes: traffic?.storedBytes ?? null,
      undecodable: traffic?.undecodable ?? null,
      changed: this.changedOf(level),
    };
  }

  private describe({ name, kind, cache, options }: Namespace): CacheNamespaceView {
    const { rule } = cache;
    const figures = cache.statistics(0);
    const { policy, items, bytes, maxItems, maxBytes } = figures;
    return {
      name,
      kind,
      rule: {
        ttlMs: typeof rule.ttlMs === 'number' ? rule.ttlMs : null,
        maxTtlMs: rule.maxTtlMs,
        jitter: rule.jitter,
        staleMs: rule.staleMs,
        revalidateMs: rule.revalidateMs,
        absentTtlMs: rule.absentTtlMs ?? null,
        levelTtlMs: { ...rule.levelTtlMs } as Record<string, number>,
      },
      changed: this.overrides.ofNamespace(name) ?? {},
      usesSharedLevels: options.useTiers ?? true,
      policy,
      items,
      bytes,
      maxItems,
      maxBytes,
      hits: figures.l1Hits + figures.sharedHits + figures.staleHits,
      staleHits: figures.staleHits,
      misses: figures.l1Misses - figures.sharedHits - figures.staleHits,
      hitRatio: ratio(figures.hitRatio, figures.l1Hits + figures.l1Misses > 0 ? 1 : 0),
      loads: figures.loads,
      loadFailures: figures.loadFailures,
      meanLoadMs: ratio(figures.loadMs, figures.loads),
      writes: figures.writes,
      invalidations: figures.invalidations,
      evicted: figures.removed.size,
      expired: figures.removed.expired,
      levels: levelFigures([figures]),
    };
  }

  private topKeys(
    top: number,
    namespace: string | undefined,
    of: (one: CacheStatistics) => readonly TopKey[],
  ): (TopKey & { readonly namespace: string })[] {
    return this.caches
      .namespaces()
      .filter(({ name }) => namespace === undefined || name === namespace)
      .flatMap(({ name, cache }) =>
        of(cache.statistics(top)).map(({ key, count, overcount }) => ({
          namespace: name,
          key,
          count,
          overcount,
        })),
      )
      .sort((a, b) => b.count - b.overcount - (a.count - a.overcount))
      .slice(0, top);
  }

  private changedOf(level: string): string[] {
    const settings = LEVEL_SETTINGS[level as LevelName] ?? {};
    return Object.entries(settings)
      .filter(([, path]) => this.overrides.hasSetting(path))
      .map(([field]) => field);
  }
}

/** Names a key in answers and in the log without telling it. */
export function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, DIGEST_LENGTH);
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
