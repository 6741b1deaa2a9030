import 'reflect-metadata';
import { ResilientDecoratorError } from './errors/policy.errors.js';
import type { PolicyOptions } from './policy.options.js';

export interface ResilientOptions extends PolicyOptions {
  /** Of the policy: in metrics, settings and `GET /v1/perf/breakers`. Default `Class.method`. */
  readonly name?: string;
  /**
   * Name of the method that stands in when this one fails or is left alone. It gets the same arguments
   * and the reason behind them.
   */
  readonly fallback?: string;
}

/** On a method: its options, once for each decorator that stands there. */
export const RESILIENT_OPTIONS = Symbol('pantheon:resilient-options');
/** On a prototype: the names of its methods that are decorated. */
export const RESILIENT_METHODS = Symbol('pantheon:resilient-methods');

type Awaiting = (...args: never[]) => Promise<unknown>;

/**
 * Guards a method of a provider that calls another part: time-out and breaker, and what else is given.
 * A parameter of type `CallContext` gets the signal of the attempt.
 */
export function Resilient(options: ResilientOptions = {}) {
  return <Method extends Awaiting>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void => {
    const method = descriptor.value;
    if (typeof method !== 'function' || typeof target === 'function') {
      throw new ResilientDecoratorError([
        `@Resilient on ${String(name)}: it is no method of instances`,
      ]);
    }
    const own = (Reflect.getOwnMetadata(RESILIENT_OPTIONS, method) ?? []) as ResilientOptions[];
    Reflect.defineMetadata(RESILIENT_OPTIONS, [...own, options], method);
    const names = (Reflect.getMetadata(RESILIENT_METHODS, target) ?? []) as (string | symbol)[];
    Reflect.defineMetadata(RESILIENT_METHODS, [...new Set([...names, name])], target);
  };
}
