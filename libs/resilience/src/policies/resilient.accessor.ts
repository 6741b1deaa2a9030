import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { CallContext } from './call-context.js';
import {
  RESILIENT_METHODS,
  RESILIENT_OPTIONS,
  type ResilientOptions,
} from './resilient.decorator.js';

/** Reads what `@Resilient` has recorded. */
@Injectable()
export class ResilientAccessor {
  /** The names of the decorated methods of an instance, its own and inherited ones. */
  methodsOf(instance: object): readonly (string | symbol)[] {
    const prototype = Object.getPrototypeOf(instance) as object | null;
    if (prototype === null) return [];
    return (Reflect.getMetadata(RESILIENT_METHODS, prototype) ?? []) as (string | symbol)[];
  }

  /** Empty for a method that overrides a decorated one and is not decorated itself. */
  optionsOf(instance: object, name: string | symbol): readonly ResilientOptions[] {
    const method = (instance as Record<string | symbol, unknown>)[name];
    if (typeof method !== 'function') return [];
    return (Reflect.getOwnMetadata(RESILIENT_OPTIONS, method) ?? []) as ResilientOptions[];
  }

  /** Where the method takes the context of the call; undefined when it does not. */
  contextParameterOf(instance: object, name: string | symbol): number | undefined {
    const types = (Reflect.getMetadata('design:paramtypes', instance, name) ?? []) as unknown[];
    const at = types.indexOf(CallContext);
    return at === -1 ? undefined : at;
  }
}
