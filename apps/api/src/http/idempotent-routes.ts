import { Reflector } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Idempotent } from '#libs/http';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { explorerOf } from './nest-router-parts.js';

/**
 * Puts the interceptor before each handler that is marked `@Idempotent()`, whichever module has it. For
 * all routes at once it would cost every request the Observables of Nest, which are a quarter of what a
 * small request costs. Call it before `init`.
 *
 * @throws TypeError where Nest keeps its router elsewhere: retries would be done twice
 */
export function useIdempotency(app: NestFastifyApplication): void {
  const creator = explorerOf(app)?.executionContextCreator.interceptorsContextCreator;
  if (creator === undefined) {
    throw new TypeError(
      'The router of this version of Nest is not known, so @Idempotent() has no effect.',
    );
  }
  const reflector = app.get(Reflector);
  const interceptor = app.get(IdempotencyInterceptor);
  const create = creator.create.bind(creator);
  creator.create = (instance, handler, ...context) => {
    const others = create(instance, handler, ...context);
    return reflector.get(Idempotent, handler) === undefined ? others : [...others, interceptor];
  };
}
