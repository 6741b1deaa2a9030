import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Cache } from '../engine/cache.js';
import type { CallMemory } from '../learning/call-memory.js';
import { MethodCalls } from '../learning/method-calls.js';
import { CacheWarmUpError, CacheWarmUpUnknownError } from './errors/cache-warm-up.error.js';
import { WarmUpMetadata } from './warm-up.decorator.js';
import { argumentsOf, type WarmUpOptions } from './warm-up.options.js';
import type { WarmUpItem } from './warm-up.runner.js';

/** A method with `@WarmUp`. */
export interface WarmUpTarget {
  /** `OrdersService.find` */
  readonly where: string;
  readonly options: WarmUpOptions;
  readonly provider: object;
  readonly methodName: string;
}

/** A target whose method is wrapped, so that its keys can be loaded. */
export interface ReadyTarget extends WarmUpTarget {
  readonly cache: Cache;
  readonly calls: CallMemory;
  /** The item of a call; undefined when the call has no key here. */
  itemOf(args: readonly unknown[]): WarmUpItem | undefined;
}

/** Finds the methods with `@WarmUp` among the providers of the application. */
@Injectable()
export class WarmUpTargets {
  private found: readonly WarmUpTarget[] | undefined;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly methods: MethodCalls,
  ) {}

  /** @throws CacheWarmUpError for decorators that can never warm anything */
  all(): readonly WarmUpTarget[] {
    return (this.found ??= this.scan());
  }

  /** The targets as they can be loaded: their methods are wrapped when the application has started. */
  ready(): readonly ReadyTarget[] {
    return this.all().flatMap((target) => {
      const { provider, methodName } = target;
      const known = this.methods.find(provider, methodName);
      if (known === undefined) return [];
      const { method, calls, cache } = known;
      return [
        {
          ...target,
          cache,
          calls,
          itemOf(args: readonly unknown[]) {
            const key = method.entryKeyOf(args);
            return key === undefined ? undefined : { key, load: calls.loadOf(key, args) };
          },
        },
      ];
    });
  }

  /** The target that fills a namespace. @throws CacheWarmUpUnknownError */
  require(namespace: string): ReadyTarget {
    const ready = this.ready();
    const target = ready.find(({ cache }) => cache.namespace === namespace);
    if (target !== undefined) return target;
    throw new CacheWarmUpUnknownError(
      namespace,
      ready.map(({ cache }) => cache.namespace),
    );
  }

  private scan(): WarmUpTarget[] {
    const targets: WarmUpTarget[] = [];
    const problems: string[] = [];
    for (const { instance } of this.discovery.getProviders()) {
      if (typeof instance !== 'object' || instance === null) continue;
      for (const { where, ...target } of this.targetsOf(instance as object)) {
        const problem = problemOf(target.options);
        if (problem === undefined) targets.push({ where, ...target });
        else problems.push(`@WarmUp on ${where} ${problem}`);
      }
    }
    for (const { metatype } of this.discovery.getControllers()) {
      const prototype = (metatype as { prototype?: object } | null)?.prototype;
      for (const { where } of prototype === undefined ? [] : this.targetsOf(prototype, metatype)) {
        problems.push(
          `@WarmUp on ${where} cannot warm a handler, whose response depends on a request: put it, with @Cacheable, on the service method that the handler calls.`,
        );
      }
    }
    if (problems.length > 0) throw new CacheWarmUpError(problems);
    return targets;
  }

  private targetsOf(
    provider: object,
    type: unknown = provider.constructor,
  ): readonly WarmUpTarget[] {
    const prototype =
      type === provider.constructor ? (Object.getPrototypeOf(provider) as object | null) : provider;
    const { name } = type as { readonly name: string };
    return this.scanner.getAllMethodNames(prototype).flatMap((methodName) => {
      const method = (provider as Record<string, unknown>)[methodName];
      if (typeof method !== 'function') return [];
      const options = Reflect.getMetadata(WarmUpMetadata.KEY, method) as WarmUpOptions | undefined;
      return options === undefined
        ? []
        : [{ where: `${name}.${methodName}`, options, provider, methodName }];
    });
  }
}

/** The remedy for options that can never warm anything. */
function problemOf({ keys, topN, cron, everyMs }: WarmUpOptions): string | undefined {
  if (keys === undefined && topN === undefined) {
    return 'says nothing to load: give keys, or topN for what was read most.';
  }
  if (cron !== undefined && everyMs !== undefined) return 'has both cron and everyMs: give one.';
  if (topN !== undefined && !(Number.isInteger(topN) && topN > 0)) {
    return `has topN ${topN}: give a whole number above 0.`;
  }
  return undefined;
}

/** The items of `keys`. */
export async function itemsOfKeys(target: ReadyTarget): Promise<WarmUpItem[]> {
  const { keys } = target.options;
  const calls = typeof keys === 'function' ? await keys(target.provider as never) : (keys ?? []);
  return calls.flatMap((call) => target.itemOf(argumentsOf(call)) ?? []);
}
