import type { EntryOptions } from '../engine/cache.options.js';
import type { Cache } from '../engine/cache.js';
import type { Caches, NamespaceOptions } from '../managers/caches.js';
import type { CacheStrategySource } from './cache-strategy.source.js';
import type { CacheableRule } from './cacheable-method.js';
import { namespaceOptionsOf } from './namespace-checks.js';

/**
 * The namespace that a method stores in. It is opened at boot; where a strategy says what it is
 * opened with, at the first call, since strategies are read from the database after boot has begun.
 */
export class RuleNamespace {
  private opened: Cache | undefined;
  private missing: EntryOptions<never> | undefined;

  constructor(
    private readonly rule: CacheableRule,
    private readonly caches: Caches,
    private readonly strategies: CacheStrategySource | undefined,
  ) {
    if (rule.options.strategy === undefined) this.opened = this.open();
  }

  get cache(): Cache {
    this.opened ??= this.open();
    return this.opened;
  }

  /** Options of the decorator that the namespace does not have, since another has opened it. */
  get entryOptions(): EntryOptions<never> | undefined {
    this.opened ??= this.open();
    return this.missing;
  }

  private open(): Cache {
    const { namespace, options, entryOptions } = this.rule;
    if (this.caches.find(namespace) !== undefined) this.missing = entryOptions;
    const { strategy } = options;
    const opening = strategy && this.strategies?.openingOptionsOf(strategy, namespace);
    return this.caches.open(namespace, {
      ...(opening as NamespaceOptions<never> | undefined),
      ...namespaceOptionsOf(options),
      ...entryOptions,
    }) as Cache;
  }
}
