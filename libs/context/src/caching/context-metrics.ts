import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '#libs/metrics';
import { MemoryPreloader } from '../preload/memory-preloader.js';
import { PRELOAD_CATEGORIES } from '../preload/preload.config.js';
import { SourceCache, type SourceCacheMetrics } from './source-cache.js';

/** Tells Prometheus what the cache of store managers does, and whether preloading is of use. */
@Injectable()
export class ContextMetrics implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly sources: SourceCache,
    private readonly preloader: MemoryPreloader,
  ) {}

  onModuleInit(): void {
    const { registry } = this.metrics;
    const total = (name: string, help: string, figure: keyof SourceCacheMetrics, unit = 1): void =>
      registry.total(name, help, () => this.sources.metrics()[figure] * unit);
    total('manager_cache_hits_total', 'Look-ups of sources that were in memory', 'hits');
    total('manager_cache_misses_total', 'Look-ups of sources that were not', 'misses');
    total('manager_cache_sets_total', 'Names of sources put into memory', 'sets');
    total('manager_cache_evictions_total', 'Names of sources that made room', 'evictions');
    total('manager_cache_fetches_total', 'Statements that read sources', 'fetches');
    total('manager_cache_fetch_seconds_total', 'Time of these statements', 'fetchMs', 1e-3);
    registry.gauge(
      'manager_cache_size',
      'Names of sources in memory',
      () => this.sources.metrics().currentSize,
    );
    registry.total('memory_preload_reads_total', 'Reads of preloaded memories by outcome', () =>
      PRELOAD_CATEGORIES.flatMap((category) => {
        const { hits, misses } = this.preloader.use()[category];
        return [
          { labels: { category, outcome: 'used' }, value: hits },
          { labels: { category, outcome: 'absent' }, value: misses },
        ];
      }),
    );
    registry.total('memory_preload_rows_total', 'Memories that were preloaded', () =>
      PRELOAD_CATEGORIES.map((category) => ({
        labels: { category },
        value: this.preloader.loaded()[category],
      })),
    );
  }
}
