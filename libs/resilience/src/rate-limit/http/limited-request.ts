import type { FastifyReply } from 'fastify';
import { clientKeyOf, type GuardedRequest, setHeaders } from '#libs/http';
import type { Verdict } from '../gcra/bucket.js';
import { RateLimitedError } from '../errors/rate-limited.error.js';
import type { LimitedBy } from '../gcra/rate-policy.js';
import type { Limiter } from '../limiter/limiter.js';
import { rateLimitRefused } from '../rate-limit.events.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What is left by the limit that the headers of the reply tell. */
    rateLimitLeft: number;
  }
}

/** No limit was told yet. */
export const UNTOLD = Number.MAX_SAFE_INTEGER;

/** A request that passes limits. */
export interface LimitedRequest extends GuardedRequest {
  rateLimitLeft?: number;
}

/** Whose budget a request takes from; undefined where it has none of the kind. */
export function keyOf(by: LimitedBy, request: LimitedRequest): string | undefined {
  switch (by) {
    case 'user':
      return request.principal?.userId;
    case 'organization':
      return request.principal?.organizationId;
    case 'key':
      return request.credential?.kind === 'api-key' ? request.credential.id : undefined;
    case 'address':
      return addressOf(request);
  }
}

/**
 * Tells the limit that is nearest to its end in the headers of draft-ietf-httpapi-ratelimit-headers.
 * @throws RateLimitedError when the request is refused
 */
export function accept(
  limiter: Limiter,
  key: string,
  verdict: Verdict,
  request: LimitedRequest,
  reply: FastifyReply,
): void {
  const { policy } = limiter;
  if (verdict < 0) {
    tell(reply, limiter, 0, Math.ceil(-verdict / 1_000_000));
    rateLimitRefused.publish(() => ({
      policy: policy.name,
      by: policy.by,
      key,
      retryAfterSeconds: Math.ceil(-verdict / 1_000_000),
    }));
    throw RateLimitedError.of(policy, -verdict);
  }
  if (verdict >= (request.rateLimitLeft ?? UNTOLD)) return;
  request.rateLimitLeft = verdict;
  tell(reply, limiter, verdict, policy.secondsToFull(verdict));
}

function tell(reply: FastifyReply, { policy }: Limiter, remaining: number, seconds: number): void {
  setHeaders(reply, {
    ratelimit: `${policy.headerStart}${remaining};t=${seconds}`,
    'ratelimit-policy': policy.header,
  });
}

/** The last address that came by a connection, and its key. */
interface KnownAddress {
  readonly ip: string;
  readonly key: string;
}

const addresses = new WeakMap<object, KnownAddress>();

/** Undefined on a connection that has no address, such as a socket of Unix. */
function addressOf({ ip, socket }: LimitedRequest): string | undefined {
  if (ip === undefined || ip === '') return undefined;
  const known = socket === undefined ? undefined : addresses.get(socket);
  if (known !== undefined && known.ip === ip) return known.key;
  const key = clientKeyOf(ip);
  if (socket !== undefined) addresses.set(socket, { ip, key });
  return key;
}
