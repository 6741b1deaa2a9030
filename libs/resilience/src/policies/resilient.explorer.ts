import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { type AnyFunction, wrapMethod } from '#libs/core';
import { ResilientDecoratorError } from './errors/policy.errors.js';
import { Policies } from './policies.js';
import type { Policy } from './policy.js';
import { ResilientAccessor } from './resilient.accessor.js';
import type { ResilientOptions } from './resilient.decorator.js';

interface Decorated {
  readonly instance: object;
  readonly method: string;
  readonly options: ResilientOptions;
  readonly policy: string;
}

/**
 * Finds the decorated methods of providers and puts their policies in front of them, before anything
 * calls them and before a cache is put in front of both.
 */
@Injectable()
export class ResilientExplorer {
  private readonly problems: string[] = [];
  private hasExplored = false;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly accessor: ResilientAccessor,
    private readonly policies: Policies,
  ) {}

  /** May be called twice. @throws ResilientDecoratorError that tells all that is wrong */
  explore(): void {
    if (this.hasExplored) return;
    this.hasExplored = true;
    const found = this.discovery.getProviders().flatMap((wrapper) => this.find(wrapper));
    for (const wrapper of this.discovery.getControllers()) this.refuse(wrapper);
    const users = new Map<string, string>();
    for (const { instance, method, policy } of found) {
      const where = nameOf(instance, method);
      const other = users.get(policy) ?? (this.policies.find(policy) && 'a policy of the code');
      if (other !== undefined) {
        this.problems.push(`@Resilient on ${where}: ${other} is named "${policy}" too: give name`);
      }
      users.set(policy, where);
    }
    if (this.problems.length > 0) throw new ResilientDecoratorError(this.problems);
    for (const decorated of found) this.install(decorated);
  }

  private find(wrapper: InstanceWrapper): Decorated[] {
    const instance: unknown = wrapper.instance;
    if (typeof instance !== 'object' || instance === null) return [];
    const names = this.accessor.methodsOf(instance);
    if (names.length === 0) return [];
    if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient) {
      this.problems.push(
        `@Resilient in ${wrapper.name}: there is an instance for each request or user, and so there would be breakers: move the method to a provider of the default scope`,
      );
      return [];
    }
    return names.flatMap((name) => {
      const [options, second] = this.accessor.optionsOf(instance, name);
      if (options === undefined) return [];
      const where = nameOf(instance, String(name));
      if (second !== undefined) this.report(where, 'it stands there twice: keep one');
      if (typeof name === 'symbol') {
        this.report(where, 'its name is a symbol: give it a name');
        return [];
      }
      this.checkFallback(instance, where, options.fallback);
      return [{ instance, method: name, options, policy: options.name ?? where }];
    });
  }

  private checkFallback(instance: object, where: string, fallback: string | undefined): void {
    if (fallback === undefined) return;
    if (typeof (instance as Record<string, unknown>)[fallback] === 'function') return;
    this.report(where, `there is no method "${fallback}" to fall back to: add it`);
  }

  /** Handlers answer callers; what they call is what may be ill. */
  private refuse(wrapper: InstanceWrapper): void {
    const instance: unknown = wrapper.instance;
    if (typeof instance !== 'object' || instance === null) return;
    for (const name of this.accessor.methodsOf(instance)) {
      const where = nameOf(instance, String(name));
      this.report(where, 'it is a handler: put it on the method of the provider that calls out');
    }
  }

  private install({ instance, method, options, policy: name }: Decorated): void {
    const { name: _, fallback, ...policyOptions } = options;
    const policy = this.policies.define(name, policyOptions);
    const contextAt = this.accessor.contextParameterOf(instance, method);
    const methods = instance as Record<string, AnyFunction>;
    const original = methods[method] as AnyFunction;
    try {
      wrapMethod(instance, method, guarded(original, { policy, contextAt, fallback }));
    } catch {
      const problem = 'its instance is frozen, so nothing can be put in front of the method';
      throw new ResilientDecoratorError([`@Resilient on ${nameOf(instance, method)}: ${problem}`]);
    }
  }

  private report(where: string, problem: string): void {
    this.problems.push(`@Resilient on ${where}: ${problem}`);
  }
}

interface Guard {
  readonly policy: Policy;
  readonly contextAt: number | undefined;
  readonly fallback: string | undefined;
}

function guarded(method: AnyFunction, { policy, contextAt, fallback }: Guard): AnyFunction {
  return function resilient(this: unknown, ...args: unknown[]): Promise<unknown> {
    return policy.execute(
      async (context) => method.apply(this, withContext(args, contextAt, context)),
      fallback === undefined
        ? {}
        : {
            fallback: (error) =>
              (this as Record<string, AnyFunction>)[fallback]?.call(this, ...args, error),
          },
    );
  };
}

function withContext(args: unknown[], at: number | undefined, context: unknown): unknown[] {
  if (at === undefined) return args;
  const all = [...args];
  all[at] = context;
  return all;
}

function nameOf(instance: object, method: string): string {
  return `${instance.constructor.name}.${method}`;
}
