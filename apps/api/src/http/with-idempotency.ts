import { type Type, UseInterceptors } from '@nestjs/common';
import { MetadataScanner, Reflector } from '@nestjs/core';
import { Idempotent } from '#libs/http';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';

const seen = new WeakSet<object>();

/**
 * The controllers, with the interceptor before each handler that is marked `@Idempotent()`. For all
 * routes at once it would cost every request the Observables of Nest, which are a quarter of what a
 * small request costs.
 */
export function withIdempotency(controllers: readonly Type[]): Type[] {
  const reflector = new Reflector();
  const scanner = new MetadataScanner();
  for (const { prototype } of controllers as readonly { prototype: object }[]) {
    for (const name of scanner.getAllMethodNames(prototype)) {
      const descriptor = descriptorOf(prototype, name);
      const handler: unknown = descriptor?.value;
      if (descriptor === undefined || typeof handler !== 'function' || seen.has(handler)) continue;
      seen.add(handler);
      if (reflector.get(Idempotent, handler as () => void) === undefined) continue;
      UseInterceptors(IdempotencyInterceptor)(prototype, name, descriptor);
    }
  }
  return [...controllers];
}

function descriptorOf(prototype: object | null, name: string): PropertyDescriptor | undefined {
  if (prototype === null) return undefined;
  return (
    Object.getOwnPropertyDescriptor(prototype, name) ??
    descriptorOf(Object.getPrototypeOf(prototype), name)
  );
}
