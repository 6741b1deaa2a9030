import { Injectable } from '@nestjs/common';
import { JobQueue } from '#libs/jobs';
import { warmCache } from '../warming/warm-cache.job.js';
import { WarmUpTargets } from '../warming/warm-up.targets.js';
import { StrategyNotWarmableError } from './errors/strategy.errors.js';
import { StrategyRegistry } from './registry/strategy-registry.js';

/** A job that fills one namespace. */
export interface StartedWarmUp {
  readonly namespace: string;
  readonly jobId: string;
}

/** Carries out the warm-up plans of strategies. */
@Injectable()
export class StrategyWarmUps {
  constructor(
    private readonly registry: StrategyRegistry,
    private readonly targets: WarmUpTargets,
    private readonly queue: JobQueue,
  ) {}

  /**
   * Enqueues what the plan says, for each namespace that knows how its keys are loaded. Throws
   * `CACHE_STRATEGY_NOT_FOUND`, `CACHE_STRATEGY_NOT_WARMABLE`.
   */
  async start(strategy: string): Promise<StartedWarmUp[]> {
    const store = this.registry.get(strategy);
    const { topN, keys } = store.current.configuration.warmUp;
    const loadable = new Set(this.targets.ready().map(({ cache }) => cache.namespace));
    const namespaces = store.openNamespaces().flatMap(({ namespace }) => {
      return loadable.has(namespace) ? [namespace] : [];
    });
    if (namespaces.length === 0) throw new StrategyNotWarmableError(store.current.name);
    const plans = [...(keys.length > 0 ? [{ keys }] : []), ...(topN > 0 ? [{ topN }] : [])];
    const started: StartedWarmUp[] = [];
    for (const namespace of namespaces) {
      // Without a plan of its own, what the decorators say.
      for (const plan of plans.length === 0 ? [{}] : plans) {
        const payload = { reason: 'request' as const, namespace, ...plan };
        const { id } = await this.queue.enqueue(warmCache, payload);
        started.push({ namespace, jobId: id });
      }
    }
    return started;
  }
}
