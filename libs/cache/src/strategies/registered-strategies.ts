import { Injectable } from '@nestjs/common';
import {
  CacheStrategySource,
  type CacheStrategyOptions,
} from '../decorators/cache-strategy.source.js';
import type { NamespaceOptions } from '../managers/caches.js';
import { StrategyRegistry } from './registry/strategy-registry.js';

/** Gives decorators the strategies that they name. */
@Injectable()
export class RegisteredStrategies extends CacheStrategySource {
  constructor(private readonly registry: StrategyRegistry) {
    super();
  }

  override optionsOf(strategy: string): CacheStrategyOptions | undefined {
    return this.registry.find(strategy)?.options;
  }

  override openingOptionsOf(strategy: string, namespace: string): NamespaceOptions | undefined {
    return this.registry.adopt(strategy, namespace);
  }
}
