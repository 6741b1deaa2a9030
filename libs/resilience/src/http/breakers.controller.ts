import { Controller, Get, Param, Post } from '@nestjs/common';
import { messageOf, PantheonError } from '#libs/core';
import { Problems, RequirePermission, Returns } from '#libs/http';
import { Policies } from '../policies/policies.js';
import type { Policy } from '../policies/policy.js';
import {
  type BreakerAnswer,
  type BreakerParams,
  breakerParamsSchema,
  breakerSchema,
  type BreakersAnswer,
  breakersSchema,
} from './breakers.schemas.js';

const READ = { resource: 'perf:breakers', action: 'read' };
const MANAGE = { resource: 'perf:breakers', action: 'manage' };
const PROBLEMS = {
  404: 'There is no breaker of this name',
  409: 'It opens and closes by itself alone',
};

/** The breakers of the process that answers, with what else guards the calls of a part. */
@Controller('v1/perf/breakers')
export class BreakersController {
  constructor(private readonly policies: Policies) {}

  @Get()
  @RequirePermission(READ)
  @Returns(200, 'Every breaker with its state, its calls and its limits', breakersSchema)
  list(): BreakersAnswer {
    return {
      items: [
        ...this.policies.all().map(describePolicy),
        ...this.policies.foreign().map(({ name, state }) => ({ name, isForeign: true, state })),
      ],
    };
  }

  @Post(':name/open')
  @RequirePermission(MANAGE)
  @Returns(200, 'The breaker, held open until it is closed: nothing is called', breakerSchema)
  @Problems(PROBLEMS)
  async open(
    @Param({ schema: breakerParamsSchema }) { name }: BreakerParams,
  ): Promise<BreakerAnswer> {
    return describePolicy(await this.policies.open(name));
  }

  @Post(':name/close')
  @RequirePermission(MANAGE)
  @Returns(200, 'The breaker, closed whatever has opened it', breakerSchema)
  @Problems(PROBLEMS)
  close(@Param({ schema: breakerParamsSchema }) { name }: BreakerParams): BreakerAnswer {
    return describePolicy(this.policies.close(name));
  }
}

function describePolicy(policy: Policy): BreakerAnswer {
  const { name, state, breaker, counts, retriesLeft, occupancy, limits } = policy;
  const { attempts, retries, retriesDenied, fallbacks } = counts;
  const error = breaker?.lastError;
  return {
    name,
    isForeign: false,
    state,
    ...(breaker !== undefined && {
      since: new Date(breaker.sinceMs).toISOString(),
      window: breaker.window,
    }),
    ...(breaker !== undefined && state === 'open' && { probeInMs: Math.round(breaker.waitMs) }),
    ...(error !== undefined && {
      lastError: {
        ...(error instanceof PantheonError && { code: error.code }),
        message: messageOf(error),
      },
    }),
    calls: { ...counts.calls },
    attempts,
    retries,
    retriesDenied,
    ...(retriesLeft !== undefined && { retriesLeft }),
    fallbacks,
    ...(occupancy !== undefined && { bulkhead: occupancy }),
    limits,
  };
}
