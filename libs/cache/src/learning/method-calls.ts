import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { type CachedMethod, CachedMethods } from '../decorators/cached-methods.js';
import type { Cache } from '../engine/cache.js';
import { WarmUpMetadata } from '../warming/warm-up.decorator.js';
import { CacheLearning } from './cache-learning.js';
import { CallMemory } from './call-memory.js';
import { cacheLearningSettings } from './learning.settings.js';

/** A method whose calls are remembered. */
export interface RememberedMethod {
  readonly method: CachedMethod;
  readonly calls: CallMemory;
  readonly cache: Cache;
}

/**
 * Remembers the calls of the methods whose keys are to be loaded without a caller, because they have
 * `prefetch` or `@WarmUp`, and starts prefetching.
 */
@Injectable()
export class MethodCalls implements OnApplicationBootstrap {
  private remembered: readonly RememberedMethod[] | undefined;

  constructor(
    private readonly methods: CachedMethods,
    private readonly learning: CacheLearning,
    private readonly settings: SettingsStore,
  ) {}

  onApplicationBootstrap(): void {
    this.attach();
  }

  /** The method of a provider; undefined if its calls are not remembered. */
  find(provider: object, methodName: string): RememberedMethod | undefined {
    return this.attach().find(
      ({ method }) => method.instance === provider && method.methodName === methodName,
    );
  }

  /** Once all methods are wrapped. */
  private attach(): readonly RememberedMethod[] {
    return (this.remembered ??= this.methods.all().flatMap((method) => this.remember(method)));
  }

  private remember(method: CachedMethod): readonly RememberedMethod[] {
    const { kind, instance, methodName, options } = method;
    const { prefetch = false } = options;
    const implementation = (instance as Record<string, object>)[methodName] as object;
    const isWarmed = Reflect.hasMetadata(WarmUpMetadata.KEY, implementation);
    const cache = method.cache();
    if (kind === 'handler' || cache === undefined || (prefetch === false && !isWarmed)) return [];
    const calls = new CallMemory(method, this.settings.get(cacheLearningSettings).rememberedCalls);
    method.onCall = (key, args) => calls.note(key, args);
    if (prefetch !== false) {
      this.learning.prefetch(cache, calls, prefetch === true ? undefined : prefetch);
    }
    return [{ method, calls, cache }];
  }
}
