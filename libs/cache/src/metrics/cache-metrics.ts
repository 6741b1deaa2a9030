import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type MetricRegistry, Metrics } from '#libs/metrics';
import { managerFigures } from '../administration/manager-figures.js';
import { CacheHub } from '../engine/cache-hub.js';
import { CACHE_KINDS } from '../managers/cache-kind.js';
import { Caches } from '../managers/caches.js';
import { cacheFault, cacheInvalidation, cacheLoad } from '../statistics/cache.channels.js';
import type { CacheStatistics, LevelStatistics } from '../statistics/cache-statistics.js';
import { BoundedNames } from './bounded-names.js';

/** Namespaces with series of their own; all others are counted under `<other>`. */
const MAX_NAMESPACES = 40;
const MAX_TIMED_NAMESPACES = 12;
const BREAKER_STATES: Readonly<Record<string, number>> = { closed: 0, 'half-open': 1, open: 2 };

/**
 * The metrics of the cache. What the engine counts anyway is read at each scrape, so that a hit
 * pays nothing for it; loads, invalidations and faults are counted as they happen.
 */
@Injectable()
export class CacheMetrics implements OnModuleInit {
  private readonly names = new BoundedNames(MAX_NAMESPACES);
  /** Misses are known only when their read has ended, and a counter must never fall. */
  private readonly misses = new Map<string, number>();

  constructor(
    private readonly metrics: Metrics,
    private readonly caches: Caches,
    private readonly hub: CacheHub,
  ) {}

  onModuleInit(): void {
    const { registry } = this.metrics;
    this.addReads(registry);
    this.addLevels(registry);
    this.addMemory(registry);
    addEvents(registry);
    registry.gauge('cache_in_sync', 'Whether invalidations of other processes arrive: 1 or 0', () =>
      Number(this.hub.isInSync),
    );
    registry.addCollector({ name: 'cache', collect: () => this.figures() });
  }

  private addReads(registry: MetricRegistry): void {
    registry.total(
      'cache_hits_total',
      'Reads that were answered without a load, by the level that answered; STALE for old values',
      () =>
        this.byNamespace((one) => [
          ...one.levels.map(({ level, hits }): [string, number] => [level, hits]),
          ['STALE', one.staleHits],
        ]).map(({ namespace, name, value }) => ({ labels: { level: name, namespace }, value })),
    );
    registry.total('cache_misses_total', 'Reads that no level could answer', () =>
      this.byNamespace((one) => [['', missesOf(one)]]).map(({ namespace, value }) => ({
        labels: { namespace },
        value: this.neverLess(namespace, value),
      })),
    );
    registry.total(
      'cache_evictions_total',
      'Entries that left a level: for want of room (size), expired, or deleted',
      () => [
        ...this.byNamespace(({ removed }) => Object.entries(removed)).map(
          ({ namespace, name, value }) => ({
            labels: { level: 'L1', namespace, reason: name },
            value,
          }),
        ),
        ...this.hub.levels().map(({ level, swept }) => ({
          labels: { level, namespace: '', reason: 'expired' },
          value: swept,
        })),
      ],
    );
  }

  private addLevels(registry: MetricRegistry): void {
    const add = (
      name: string,
      help: string,
      read: (level: LevelStatistics) => Readonly<Record<string, number | undefined>>,
      label?: string,
    ): void => {
      registry.total(name, help, () =>
        this.hub.levels().flatMap((one) =>
          Object.entries(read(one)).flatMap(([value, count]) =>
            count === undefined
              ? []
              : [
                  {
                    labels: {
                      level: one.level,
                      ...(label === undefined ? {} : { [label]: value }),
                    },
                    value: count,
                  },
                ],
          ),
        ),
      );
    };
    add(
      'cache_tier_calls_total',
      'Calls of a shared level: answered, failed, or skipped while it is left alone',
      ({ answered, errors, skipped }) => ({ answered, failed: errors, skipped }),
      'outcome',
    );
    add(
      'cache_tier_seconds_total',
      'Time that the answered calls of a shared level took',
      (one) => ({
        all: one.answeredMs / 1_000,
      }),
    );
    add(
      'cache_tier_writes_total',
      'Entries written to a shared level: stored, or refused as invalidated meanwhile',
      ({ sets, refused }) => ({ stored: sets, refused }),
      'outcome',
    );
    add('cache_tier_deletes_total', 'Entries deleted from a shared level', ({ deletes }) => ({
      all: deletes,
    }));
    add('cache_bytes_raw_total', 'Bytes of values written, before compression', ({ traffic }) => ({
      all: traffic?.rawBytes,
    }));
    add('cache_bytes_stored_total', 'Bytes written for them', ({ traffic }) => ({
      all: traffic?.storedBytes,
    }));
    add(
      'cache_undecodable_total',
      'Entries of a shared level that could not be read, such as altered ones',
      ({ traffic }) => ({ all: traffic?.undecodable }),
    );
    registry.gauge(
      'cache_breaker_state',
      'Breaker of a shared level: 0 closed, 1 half-open, 2 open',
      () =>
        this.hub
          .levels()
          .map(({ level, state }) => ({ labels: { level }, value: BREAKER_STATES[state] ?? 2 })),
    );
  }

  private addMemory(registry: MetricRegistry): void {
    const add = (
      name: string,
      help: string,
      of: (kind: (typeof CACHE_KINDS)[number]) => number,
    ) => {
      registry.gauge(name, help, () =>
        CACHE_KINDS.map((kind) => ({ labels: { level: 'L1', kind }, value: of(kind) })),
      );
    };
    const sum = (kind: (typeof CACHE_KINDS)[number], of: (one: CacheStatistics) => number) =>
      this.caches.namespaces(kind).reduce((total, { cache }) => total + of(cache.statistics(0)), 0);
    add('cache_bytes', 'Bytes of the first level', (kind) => this.caches.bytesOf(kind));
    add('cache_max_bytes', 'Bound of the first level', (kind) => this.caches.budgetOf(kind));
    add('cache_items', 'Entries in the first level', (kind) => sum(kind, ({ items }) => items));
  }

  /** Values of all namespaces; those beyond the bound are added up. */
  private byNamespace(read: (one: CacheStatistics) => readonly (readonly [string, number])[]) {
    const sums = new Map<string, { namespace: string; name: string; value: number }>();
    for (const { name: opened, cache } of this.caches.namespaces()) {
      const namespace = this.names.of(opened);
      for (const [name, value] of read(cache.statistics(0))) {
        const known = sums.get(`${namespace}\u0000${name}`);
        if (known === undefined) sums.set(`${namespace}\u0000${name}`, { namespace, name, value });
        else known.value += value;
      }
    }
    return [...sums.values()];
  }

  private neverLess(namespace: string, value: number): number {
    const most = Math.max(value, this.misses.get(namespace) ?? 0);
    this.misses.set(namespace, most);
    return most;
  }

  private figures() {
    const { counts, hitRatio, meanLatencyMs } = managerFigures(
      this.caches.namespaces().map(({ cache }) => cache.statistics(0)),
    );
    const { reads, hits, loads, items, bytes } = counts;
    return { hitRatio, meanLatencyMs, reads, hits, loads, items, bytes, inSync: this.hub.isInSync };
  }
}

function addEvents(registry: MetricRegistry): void {
  const loads = registry.counter({
    name: 'cache_loads_total',
    help: 'Loads by outcome: stored, discarded as invalidated meanwhile, absent, failed, timed-out',
    labels: ['namespace', 'outcome'],
    maxLabelSets: MAX_NAMESPACES * 3,
  });
  const durations = registry.durations({
    name: 'cache_load_seconds',
    help: 'Duration of a load',
    labels: ['namespace'],
    maxLabelSets: MAX_TIMED_NAMESPACES,
  });
  registry.onEvent(cacheLoad, ({ namespace, outcome, durationMs }) => {
    loads.of(namespace, outcome).increment();
    durations.of(namespace).record(durationMs);
  });
  const invalidations = registry.counter({
    name: 'cache_invalidations_total',
    help: 'Keys and names (tags, namespaces, everything) that were invalidated, here or elsewhere',
    labels: ['kind', 'origin'],
  });
  registry.onEvent(cacheInvalidation, ({ kind, names, isRemote }) =>
    invalidations.of(kind, isRemote ? 'remote' : 'local').increment(names.length),
  );
  const faults = registry.counter({
    name: 'cache_faults_total',
    help: 'Failures that the cache has survived, by what failed',
    labels: ['part', 'operation'],
    maxLabelSets: 60,
  });
  registry.onEvent(cacheFault, ({ part, operation }) => faults.of(part, operation).increment());
}

/** A read that waits for its level counts as a miss of the first one until then. */
function missesOf({ l1Misses, sharedHits, staleHits }: CacheStatistics): number {
  return l1Misses - sharedHits - staleHits;
}
