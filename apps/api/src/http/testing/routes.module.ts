import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  Controller,
  type ExecutionContext,
  Get,
  Module,
  NotFoundException,
  Scope,
} from '@nestjs/common';
import { APP_GUARD, APP_PIPE } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { RouteCheck, RouteGuard } from '#libs/http';
import { ValidationPipe } from '../validation.pipe.js';
import { AnsweringRoutes } from './answering-routes.js';
import { ParameterRoutes } from './parameter-routes.js';

/** Asks the query of each request; with `wait` it does so in a later turn. */
class QueryGuard implements RouteGuard {
  readonly check: RouteCheck = (request) => {
    const { query } = request as unknown as FastifyRequest<{ Querystring: Record<string, string> }>;
    if (query['wait'] === undefined) return this.decide(query);
    return nextTurn().then(() => this.decide(query));
  };

  checkOf(handler: object): RouteCheck | undefined {
    return handler === AnsweringRoutes.prototype.unguarded ? undefined : this.check;
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const [request, reply] = context.getArgs<[never, never]>();
    const pending = this.checkOf(context.getHandler())?.(request, reply);
    return pending === undefined ? true : pending.then(() => true);
  }

  private decide({ refuse }: Record<string, string>): void {
    if (refuse !== undefined) throw new NotFoundException(`refused: ${refuse}`);
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedRoutes {
  private calls = 0;

  @Get()
  get(): number {
    this.calls += 1;
    return this.calls;
  }
}

/** Routes of every kind behind a global guard and a global pipe. */
@Module({
  controllers: [AnsweringRoutes, ParameterRoutes, ScopedRoutes],
  providers: [
    { provide: APP_PIPE, useClass: ValidationPipe },
    { provide: APP_GUARD, useClass: QueryGuard },
  ],
})
export class RoutesModule {}
