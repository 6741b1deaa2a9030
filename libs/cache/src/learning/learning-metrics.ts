import { Injectable } from '@nestjs/common';
import { Metrics } from '#libs/metrics';
import { CacheLearning } from './cache-learning.js';
import { modelOf } from './model-of.js';

/** Namespaces that have series of their own; those beyond are left out. */
const MAX_NAMESPACES = 100;

/** Tells Prometheus what prefetching did and how often policies have changed. */
@Injectable()
export class LearningMetrics {
  constructor({ registry }: Metrics, learning: CacheLearning) {
    registry.total(
      'cache_prefetch_total',
      'Keys that were likely to be read: loaded ahead and used, wasted, or skipped',
      () =>
        learning
          .all()
          .slice(0, MAX_NAMESPACES)
          .flatMap(({ cache: { namespace }, prefetcher }) => {
            if (prefetcher === undefined) return [];
            const { used, wasted, skipped } = prefetcher.counts();
            const outcomes = {
              used,
              wasted,
              skipped: skipped.budget + skipped.busy + skipped.unknown,
            };
            return Object.entries(outcomes).map(([outcome, value]) => ({
              labels: { namespace, outcome },
              value,
            }));
          }),
    );
    registry.total(
      'cache_policy_switches_total',
      'Changes of the eviction policy in force, where it adapts',
      () =>
        learning
          .all()
          .filter(({ cache }) => cache.policy().state['switches'] !== undefined)
          .slice(0, MAX_NAMESPACES)
          .map(({ cache }) => ({
            labels: { namespace: cache.namespace },
            value: modelOf(cache).switches,
          })),
    );
  }
}
