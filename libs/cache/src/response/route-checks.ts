import type { CanActivate } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isRouteGuard, type RouteCheck } from '#libs/http';
import type { HandlerPipeline } from './nest-pipeline.js';

/** Lets a request through or throws; a promise only where a guard has to wait. */
export type GuardChecks = (
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<void> | undefined;

type Check = (request: FastifyRequest, reply: FastifyReply) => Promise<void> | void;

/**
 * Every guard of a handler, in order. A guard that can check the requests of a route by itself does
 * so; any other is asked as Nest asks it. None is left out.
 */
export function checksOf(pipeline: HandlerPipeline): GuardChecks {
  const checks = pipeline.guards.flatMap((guard) => checkOf(guard, pipeline) ?? []);
  return (request, reply) => {
    for (let at = 0; at < checks.length; at += 1) {
      const pending = (checks[at] as Check)(request, reply);
      if (pending !== undefined) return finish(pending, checks, at + 1, request, reply);
    }
    return undefined;
  };
}

async function finish(
  pending: Promise<void>,
  checks: readonly Check[],
  from: number,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  await pending;
  for (const check of checks.slice(from)) await check(request, reply);
}

function checkOf(guard: CanActivate, pipeline: HandlerPipeline): Check | undefined {
  if (!isRouteGuard(guard)) return (request, reply) => pipeline.ask(guard, request, reply);
  const check: RouteCheck | undefined = guard.checkOf(pipeline.handler, pipeline.controller);
  return check;
}
