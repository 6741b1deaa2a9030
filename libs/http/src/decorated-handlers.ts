import {
  MetadataScanner,
  type ModulesContainer,
  type ReflectableDecorator,
  Reflector,
} from '@nestjs/core';

type Method = (...args: never[]) => unknown;

/**
 * What a decorator says of each handler, or else of its controller, by the name that Nest gives to the
 * handlers of routes, which hooks of Fastify see.
 */
export function decoratedHandlers<Value>(
  modules: ModulesContainer,
  decorator: ReflectableDecorator<never, Value>,
): ReadonlyMap<string, Value> {
  const reflector = new Reflector();
  const scanner = new MetadataScanner();
  const found = new Map<string, Value>();
  for (const { controllers } of modules.values()) {
    for (const { metatype } of controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const prototype = metatype.prototype as Readonly<Record<string, Method>>;
      for (const name of scanner.getAllMethodNames(prototype)) {
        const targets = [prototype[name] as Method, metatype];
        const value = reflector.getAllAndOverride(decorator, targets);
        if (value !== undefined) found.set(`${metatype.name}.${name}`, value);
      }
    }
  }
  return found;
}
