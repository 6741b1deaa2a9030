import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Clock } from '#libs/core';
import { Metrics } from '#libs/metrics';
import { StrategyRegistry } from '../registry/strategy-registry.js';
import { between, countsOf, figuresOf, type StrategyCounts } from './strategy-figures.js';
import type { StrategyStore } from './strategy-store.js';

const SAMPLE_EVERY_MS = 5_000;
/** Samples that are kept: the window of the throughput is a minute. */
const MAX_SAMPLES = 12;

interface Sample {
  readonly atMs: number;
  readonly counts: StrategyCounts;
}

/** The live figures of the strategies, for the routes and for Prometheus. */
@Injectable()
export class StrategyMeter implements OnModuleInit, OnApplicationShutdown {
  private readonly samples = new WeakMap<StrategyStore, Sample[]>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly registry: StrategyRegistry,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => {
      for (const store of this.registry.all()) this.sample(store);
    }, SAMPLE_EVERY_MS).unref();
    this.publish();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  countsOf(store: StrategyStore): StrategyCounts {
    return countsOf(store.statistics(), store.passed);
  }

  /** Since the store was opened, with the throughput of the last minute. */
  figuresOf(store: StrategyStore) {
    const samples = this.samples.get(store) ?? this.sample(store);
    const first = samples[0] as Sample;
    const counts = this.countsOf(store);
    const seconds = (this.clock.monotonicMs() - first.atMs) / 1_000;
    const { reads } = between(first.counts, counts);
    return {
      ...figuresOf(counts, store.statistics()),
      readsPerSecond: seconds <= 0 ? 0 : reads / seconds,
    };
  }

  private sample(store: StrategyStore): Sample[] {
    const samples = this.samples.get(store) ?? [];
    samples.push({ atMs: this.clock.monotonicMs(), counts: this.countsOf(store) });
    if (samples.length > MAX_SAMPLES) samples.shift();
    this.samples.set(store, samples);
    return samples;
  }

  /** All is read at the scrape, so a read of a strategy pays nothing. `cache.maxStrategies` bounds the labels. */
  private publish(): void {
    const { registry } = this.metrics;
    const stores = () => this.registry.all();
    registry.total('cache_strategy_reads_total', 'Reads of a cache strategy, by outcome', () =>
      stores().flatMap((store) => {
        const { reads, hits, passed } = this.countsOf(store);
        return Object.entries({ hit: hits, miss: reads - hits, passed }).map(
          ([outcome, value]) => ({ labels: { strategy: store.current.name, outcome }, value }),
        );
      }),
    );
    registry.total(
      'cache_strategy_read_seconds_total',
      'Time spent on the reads of a cache strategy, loading included',
      () =>
        this.each((store) => (this.countsOf(store).lookUpMs + this.countsOf(store).loadMs) / 1e3),
    );
    registry.gauge('cache_strategy_bytes', 'Bytes that a cache strategy holds in memory', () =>
      this.each((store) => figuresOf(this.countsOf(store), store.statistics()).bytes),
    );
    registry.gauge('cache_strategy_reads_per_second', 'Reads a second, of the last minute', () =>
      this.each((store) => this.figuresOf(store).readsPerSecond),
    );
    registry.gauge('cache_strategy_status', '1 for the status that a cache strategy has', () =>
      stores().map(({ current }) => ({
        labels: { strategy: current.name, type: current.type, status: current.status },
        value: 1,
      })),
    );
  }

  private each(read: (store: StrategyStore) => number) {
    return this.registry.all().map((store) => ({
      labels: { strategy: store.current.name },
      value: read(store),
    }));
  }
}
