import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { CACHE_RULES, CACHED_METHODS, type CacheRules } from './cacheable.decorator.js';

/** Reads what the decorators of this lib have recorded. */
@Injectable()
export class CacheableAccessor {
  /** The names of the methods of an instance that have rules, its own and inherited ones. */
  methodsOf(instance: object): readonly (string | symbol)[] {
    const prototype = Object.getPrototypeOf(instance) as object | null;
    if (prototype === null) return [];
    return (Reflect.getMetadata(CACHED_METHODS, prototype) ?? []) as readonly (string | symbol)[];
  }

  /** Undefined for a method that overrides a decorated one and is not decorated itself. */
  rulesOf(instance: object, name: string | symbol): CacheRules | undefined {
    const method = (instance as Record<string | symbol, unknown>)[name];
    if (typeof method !== 'function') return undefined;
    return Reflect.getOwnMetadata(CACHE_RULES, method) as CacheRules | undefined;
  }
}
