import 'reflect-metadata';
import type { AnyFunction } from './method-shape.js';

const OWN = new Set<string | symbol>(['length', 'name', 'prototype', 'arguments', 'caller']);

/**
 * Puts `replacement` in the place of a method of one instance, so that calls by others and by
 * itself go through it. It looks like the method: name, length, metadata, other properties.
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
    if (property !== undefined && !OWN.has(key)) Object.defineProperty(replacement, key, property);
  }
  for (const key of Reflect.getOwnMetadataKeys(method) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), replacement);
  }
  Object.defineProperty(instance, name, {
    value: replacement,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}
