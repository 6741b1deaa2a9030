import 'reflect-metadata';

/** A method of whatever class. */
export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** On a function that stands in the place of a method: that method. */
const DECLARED = Symbol('pantheon:declared-method');

const OWN = new Set<string | symbol>(['length', 'name', 'prototype', 'arguments', 'caller']);

/**
 * Puts `replacement` in the place of a method of one instance, so that calls by others and by
 * itself go through it. It looks like the method: name, length, metadata, other properties. What was
 * declared is still told by `declaredMethod`.
 *
 * @throws TypeError when the instance cannot be changed
 */
export function wrapMethod(instance: object, name: string, replacement: AnyFunction): void {
  const method = (instance as Record<string, unknown>)[name] as AnyFunction;
  const { length, name: ownName } = method;
  Object.defineProperty(replacement, 'length', { value: length, configurable: true });
  Object.defineProperty(replacement, 'name', { value: ownName, configurable: true });
  for (const key of Reflect.ownKeys(method)) {
    const property = Object.getOwnPropertyDescriptor(method, key);
    if (property !== undefined && !OWN.has(key) && key !== DECLARED)
      Object.defineProperty(replacement, key, property);
  }
  for (const key of Reflect.getOwnMetadataKeys(method) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), replacement);
  }
  Object.defineProperty(replacement, DECLARED, { value: declaredMethod(method) });
  Object.defineProperty(instance, name, {
    value: replacement,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

/** The method as its class declares it, for who asks after its parameters, whatever stands before it. */
export function declaredMethod(method: AnyFunction): AnyFunction {
  return (method as { readonly [DECLARED]?: AnyFunction })[DECLARED] ?? method;
}
