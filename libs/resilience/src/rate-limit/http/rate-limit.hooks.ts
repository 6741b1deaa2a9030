import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import type { Limiter } from '../limiter/limiter.js';
import { RateLimits } from '../rate-limits.js';
import { accept, keyOf, UNTOLD } from './limited-request.js';
import { RateLimitGuard } from './rate-limit.guard.js';

/** What probes and scrapers ask for, and pages of this server, is never refused. */
const NEVER_LIMITED = /^\/(?:health|metrics|docs|dashboard)(?:\/|$)/;

/**
 * Puts the rate limits in front of all routes of an app: that of addresses in a hook, and behind its
 * global guards, by which users are known, those of callers and of routes. Call it after the hooks that
 * every answer needs, and before routes are registered.
 */
export async function useRateLimits(app: NestFastifyApplication): Promise<void> {
  const limits = app.get(RateLimits);
  limitAddresses(app.getHttpAdapter().getInstance(), limits);
  app.useGlobalGuards(app.get(RateLimitGuard));
  await limits.open();
}

/**
 * Limits what comes from one address, before anything is read of a body or a token, so that guessing
 * tokens and addresses of pages is limited too.
 */
function limitAddresses(fastify: FastifyInstance, limits: RateLimits): void {
  const limit = new AddressLimit(limits);
  fastify.decorateRequest('rateLimitLeft', UNTOLD);
  fastify.addHook('onRoute', (route) => {
    const others = [route.onRequest ?? []].flat();
    // Fastify makes the route of HEAD of that of GET.
    if (NEVER_LIMITED.test(route.url) || others.includes(limit.hook)) return;
    route.onRequest = [limit.hook, ...others];
  });
  // Requests that no route takes have no hooks of a route.
  fastify.addHook('onRequest', function ofNoRoute(request, reply, done) {
    if (request.is404) limit.hook.call(this, request, reply, done);
    else done();
  });
}

class AddressLimit {
  private version = -1;
  private limiter: Limiter | undefined;

  constructor(private readonly limits: RateLimits) {}

  readonly hook: onRequestHookHandler = (request, reply, done) => {
    if (this.version !== this.limits.version) this.renew();
    const { limiter } = this;
    const key = limiter === undefined ? undefined : keyOf('address', request);
    if (limiter === undefined || key === undefined) {
      done();
      return;
    }
    const verdict = limiter.check(key, this.limits.nowUs());
    if (verdict === undefined) {
      limiter.ask(key).then((asked) => finish(limiter, key, asked, request, reply, done), done);
    } else finish(limiter, key, verdict, request, reply, done);
  };

  private renew(): void {
    this.version = this.limits.version;
    this.limiter = this.limits.general('address');
  }
}

function finish(
  limiter: Limiter,
  key: string,
  verdict: number,
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
): void {
  try {
    accept(limiter, key, verdict, request, reply);
  } catch (error) {
    done(error as Error);
    return;
  }
  done();
}
