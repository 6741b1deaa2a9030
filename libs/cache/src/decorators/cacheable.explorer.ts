import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { declaredMethod, wrapMethod } from '#libs/core';
import { Caches } from '../managers/caches.js';
import { checkCacheableHandler, checkCacheableMethod, checkWrites } from './boot-checks.js';
import { RuleNamespace } from './rule-namespace.js';
import { cacheMethod, CacheableRule, loadOfCall } from './cacheable-method.js';
import type { CacheRules } from './cacheable.decorator.js';
import { CacheableAccessor } from './cacheable.accessor.js';
import type { AnyCacheableOptions } from './cacheable.options.js';
import { cachedHandler } from './cached-handler.js';
import { type CachedMethod, CachedMethods } from './cached-methods.js';
import { CacheStrategySource } from './cache-strategy.source.js';
import { entryOptionsOf, type Report } from './call-rules.js';
import { CacheDecoratorError } from './errors/cache-decorator.error.js';
import { type MethodShape, shapeOf } from './method-shape.js';
import { namespaceOptionsOf, namespaceProblems, type NamespaceUser } from './namespace-checks.js';
import { type CachedHandler, ResponseCaching } from './response-caching.js';
import { EvictRule, PutRule, writeMethod, type WriteRule } from './write-rules.js';

/** A decorated method with what is to become of it. */
interface Decorated extends NamespaceUser {
  readonly shape: MethodShape;
  readonly cacheable: CacheableRule | undefined;
  readonly handler: CachedHandler | undefined;
  readonly writes: readonly WriteRule[];
}

/**
 * Finds decorated methods among the providers and controllers of the application and puts the cache
 * in front of them, before anything calls them: `explore` runs after all instances are made and
 * before routes are registered. Methods that a constructor or an asynchronous factory calls run
 * without the cache.
 */
@Injectable()
export class CacheableExplorer {
  private readonly problems: string[] = [];
  private hasExplored = false;
  private decorated: readonly Decorated[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly accessor: CacheableAccessor,
    private readonly caches: Caches,
    private readonly methods: CachedMethods,
  ) {}

  /** May be called twice. @throws CacheDecoratorError that tells all that is wrong */
  explore(): void {
    if (this.hasExplored) return;
    this.hasExplored = true;
    const providers = this.discovery.getProviders();
    this.decorated = [
      ...this.find(providers, false),
      ...this.find(this.discovery.getControllers(), true),
    ];
    const storing = this.decorated.filter(({ cacheable, handler }) => cacheable ?? handler);
    this.problems.push(...namespaceProblems(storing));
    const responses = instanceOf(providers, ResponseCaching);
    if (responses === undefined) {
      for (const { name, handler } of storing) {
        if (handler === undefined) continue;
        this.problems.push(
          `@Cacheable on ${name}: nothing caches responses here: provide ResponseCaching`,
        );
      }
    }
    if (this.problems.length > 0) throw new CacheDecoratorError(this.problems);
    const strategies = instanceOf(providers, CacheStrategySource);
    for (const method of this.decorated) this.install(method, responses, strategies);
  }

  private find(wrappers: readonly InstanceWrapper[], isController: boolean): Decorated[] {
    const seen = new Set<object>();
    return wrappers.flatMap((wrapper) => {
      const instance: unknown = wrapper.instance;
      if (typeof instance !== 'object' || instance === null) return [];
      const names = this.accessor.methodsOf(instance);
      if (names.length === 0 || seen.has(instance) || this.isOfRequest(wrapper, names)) return [];
      seen.add(instance);
      return names.flatMap((name) => {
        const rules = this.accessor.rulesOf(instance, name);
        if (rules === undefined) return [];
        return [this.compile(instance, name, rules, wrapper.token, isController)];
      });
    });
  }

  /** An instance for each request, or for each user, is none that could be changed once. */
  private isOfRequest(wrapper: InstanceWrapper, names: readonly (string | symbol)[]): boolean {
    if (wrapper.isDependencyTreeStatic() && !wrapper.isTransient) return false;
    for (const name of names) {
      this.problems.push(
        `The cache decorators on ${wrapper.name}.${String(name)}: there is an instance for each request or user of ${wrapper.name}: move the method to a provider of the default scope`,
      );
    }
    return true;
  }

  private compile(
    instance: object,
    name: string | symbol,
    rules: CacheRules,
    token: unknown,
    isController: boolean,
  ): Decorated {
    const methodName = String(name);
    const shape = shapeOf(instance, methodName, isController);
    const [options] = rules.cacheable;
    const namespace = options?.namespace ?? shape.name;
    const user = { name: shape.name, namespace, options: options ?? {}, instance, token };
    const report = (decorator: string): Report => this.reportOn(decorator, shape.name);
    const parts = {
      caches: this.caches,
      mayHaveVariants: (namespace: string) => this.mayHaveVariants(namespace),
    };
    if (typeof name === 'symbol') report('@Cacheable')('its name is a symbol: give it a name');
    if (rules.cacheable.length > 1) report('@Cacheable')('it stands there twice: keep one');
    const writes = [
      ...rules.put.map((put) => new PutRule(put, shape, parts, report('@CachePut'))),
      ...rules.evict.map((evict) => new EvictRule(evict, shape, parts, report('@CacheEvict'))),
    ];
    if (writes.length > 0) {
      checkWrites(shape, report(rules.put.length > 0 ? '@CachePut' : '@CacheEvict'));
    }
    return {
      ...user,
      method: declaredMethod(shape.method),
      shape,
      writes,
      ...this.compileCacheable(instance, shape, namespace, options, report('@Cacheable')),
    };
  }

  private compileCacheable(
    controller: object,
    shape: MethodShape,
    namespace: string,
    options: AnyCacheableOptions | undefined,
    report: Report,
  ): Pick<Decorated, 'cacheable' | 'handler'> {
    const none = { cacheable: undefined, handler: undefined };
    if (options === undefined) return none;
    if (shape.handler === undefined) {
      checkCacheableMethod(shape, options, report);
      return { ...none, cacheable: new CacheableRule(namespace, options, shape, report) };
    }
    checkCacheableHandler(shape, shape.handler, options, report);
    const namespaceOptions = { ...namespaceOptionsOf(options), ...entryOptionsOf(options) };
    const parts = { controller, shape, namespace, options, namespaceOptions };
    return { ...none, handler: cachedHandler(parts, report) };
  }

  private install(
    { instance, shape, cacheable, handler, writes, namespace, options }: Decorated,
    responses: ResponseCaching | undefined,
    strategies: CacheStrategySource | undefined,
  ): void {
    const { name, methodName } = shape;
    let { method } = shape;
    let load: CachedMethod['loadOf'] = () => undefined;
    let cache: CachedMethod['cache'] = () => undefined;
    const known: CachedMethod = {
      kind: handler === undefined ? 'method' : 'handler',
      name,
      methodName,
      instance,
      namespace,
      options,
      entryKeyOf: (args) => cacheable?.entryKeyOf(args),
      loadOf: (args) => load(args),
      cache: () => cache(),
      onCall: undefined,
    };
    if (writes.length > 0) method = writeMethod(method, writes);
    if (cacheable !== undefined) {
      const space = new RuleNamespace(cacheable, this.caches, strategies);
      const inner = method;
      const parts = { rule: cacheable, space, strategies, known };
      cache = () => space.cache;
      load = (args) => loadOfCall(inner, instance, parts, args);
      method = cacheMethod(method, parts);
    }
    if (method !== shape.method) this.wrap(instance, name, methodName, method);
    if (handler !== undefined) responses?.attach(handler);
    if (cacheable === undefined && handler === undefined) return;
    this.methods.add(known);
  }

  private wrap(
    instance: object,
    name: string,
    methodName: string,
    method: MethodShape['method'],
  ): void {
    try {
      wrapMethod(instance, methodName, method);
    } catch {
      const problem = 'its instance is frozen, so nothing can be put in front of the method';
      throw new CacheDecoratorError([`The cache decorators on ${name}: ${problem}`]);
    }
  }

  /** A namespace that only other processes store in may have variants. */
  private mayHaveVariants(namespace: string): boolean {
    const users = this.decorated.filter((user) => user.namespace === namespace);
    const storing = users.filter(({ cacheable, handler }) => cacheable ?? handler);
    return (
      storing.length === 0 ||
      storing.some(({ cacheable, handler }) => handler ?? cacheable?.hasVariants)
    );
  }

  private reportOn(decorator: string, name: string): Report {
    return (problem) => this.problems.push(`${decorator} on ${name}: ${problem}`);
  }
}

/** The instance that a port was provided with, in whatever module. */
function instanceOf<Port>(
  providers: readonly InstanceWrapper[],
  port: abstract new (...args: never[]) => Port,
): Port | undefined {
  return providers.find(({ token }) => token === port)?.instance as Port | undefined;
}
