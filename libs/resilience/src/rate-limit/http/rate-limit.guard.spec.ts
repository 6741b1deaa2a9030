import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import type { DataSource } from 'typeorm';
import { SettingsStore } from '#libs/config';
import { type Credential, ManualClock, type Principal } from '#libs/core';
import { persistenceSettings, redisSettings } from '#libs/persistence';
import { RateLimit } from '../rate-limit.decorator.js';
import { rateLimitSettings } from '../rate-limit.settings.js';
import { RateLimits } from '../rate-limits.js';
import { RateLimitGuard } from './rate-limit.guard.js';

@Controller('v1/things')
@RateLimit({ by: 'user', capacity: 3, refillPerHour: 1 })
class Things {
  @Get()
  list(): void {}

  @Get(':id')
  @RateLimit(
    { by: 'user', capacity: 5, refillPerHour: 1 },
    { by: 'organization', capacity: 2, refillPerHour: 1 },
  )
  get(): void {}

  @Post(['one', 'other'])
  @RateLimit({ name: 'made', by: 'user', capacity: 2, refillPerHour: 1 })
  make(): void {}

  @Post('again')
  @RateLimit({ name: 'made', by: 'user', capacity: 2, refillPerHour: 1 })
  makeAgain(): void {}
}

@Controller('many')
class Many {
  @Get()
  @RateLimit(
    { by: 'user', capacity: 3, refillPerSecond: 1 },
    { by: 'user', capacity: 100, refillPerHour: 100 },
  )
  read(): void {}
}

@Controller('open')
class Open {
  @Get()
  read(): void {}
}

const ann = { userId: 'ann', organizationId: 'org' } as Principal;
const ben = { userId: 'ben', organizationId: 'org' } as Principal;

describe('RateLimitGuard', () => {
  let settings: SettingsStore;
  let limits: RateLimits;
  let guard: RateLimitGuard;
  let headers: Record<string, unknown>;

  beforeEach(async () => {
    settings = new SettingsStore([rateLimitSettings, redisSettings, persistenceSettings]);
    limits = new RateLimits(settings, new ManualClock(), {} as DataSource);
    await limits.open();
    guard = new RateLimitGuard(limits, new Reflector());
  });
  afterEach(() => limits.onApplicationShutdown());

  function ask(
    handler: () => void,
    principal?: Principal,
    { controller = Things, credential }: { controller?: object; credential?: Credential } = {},
  ): string {
    headers = {};
    const reply = {
      raw: { getHeaderNames: () => [] },
      headers: (set: object) => Object.assign(headers, set),
    } as unknown as FastifyReply;
    const request = {
      headers: {},
      ip: '192.0.2.1',
      ...(principal && { principal }),
      ...(credential && { credential }),
    };
    try {
      const pending = guard.checkOf(handler, controller)?.(request, reply);
      return pending === undefined ? 'allowed' : 'asked';
    } catch (error) {
      return (error as { code: string }).code;
    }
  }

  const { list, get, make, makeAgain } = Things.prototype;
  const allowed = (outcomes: readonly string[]) =>
    outcomes.filter((outcome) => outcome === 'allowed').length;

  it('goes by the rules of the controller where the handler has none', () => {
    expect(allowed([1, 2, 3, 4, 5].map(() => ask(list, ann)))).toBe(3);
    expect(ask(list, ann)).toBe('RATE_LIMITED');
    expect(ask(list, ben)).toBe('allowed');
  });

  it('lets a request through when all rules of its handler do', () => {
    expect([ask(get, ann), ask(get, ben), ask(get, ann)]).toEqual([
      'allowed',
      'allowed',
      'RATE_LIMITED',
    ]);
  });

  it('keeps a budget for each of several rules of one kind', () => {
    const { read } = Many.prototype;
    const outcomes = Array.from({ length: 10 }, () => ask(read, ann, { controller: Many }));
    expect(allowed(outcomes)).toBe(3);
    const policies = [...limits.limiters].map(({ policy, allowed: count }) => [policy.name, count]);
    expect(policies.filter(([name]) => String(name).startsWith('GET'))).toEqual([
      ['GET /many by user', 3],
      ['GET /many by user 2', 3],
    ]);
  });

  it('tells of the limit that has the fewest requests left', () => {
    ask(get, ann);
    expect(headers).toEqual({
      ratelimit: '"GET /v1/things/:id by organization";r=1;t=3600',
      'ratelimit-policy': '"GET /v1/things/:id by organization";q=2;w=7200',
    });
  });

  it('has routes of one name share a budget', () => {
    expect([ask(make, ann), ask(makeAgain, ann), ask(make, ann)]).toEqual([
      'allowed',
      'allowed',
      'RATE_LIMITED',
    ]);
  });

  it('does not limit a request that has no budget of the kind', () => {
    expect(allowed(Array.from({ length: 10 }, () => ask(list)))).toBe(10);
  });

  it('goes by the general limits too, for keys beside their users', () => {
    settings.overrideAll({
      'rateLimit.userCapacity': 3,
      'rateLimit.userPerSecond': 1,
      'rateLimit.keyCapacity': 2,
      'rateLimit.keyPerSecond': 1,
    });
    const { read } = Open.prototype;
    const byKey = { controller: Open, credential: { kind: 'api-key', id: 'k' } } as const;
    const bySession = { controller: Open, credential: { kind: 'session', id: 's' } } as const;
    expect([1, 2, 3].map(() => ask(read, ann, byKey))).toEqual([
      'allowed',
      'allowed',
      'RATE_LIMITED',
    ]);
    // What a key is refused takes nothing from its user.
    expect([1, 2].map(() => ask(read, ann, bySession))).toEqual(['allowed', 'RATE_LIMITED']);
    expect(ask(read, ben, bySession)).toBe('allowed');
  });

  it('goes by the settings of a route before its decorator, whichever of its paths they name', () => {
    settings.overrideAll({
      'rateLimit.routes': {
        'POST /v1/things/other': [{ by: 'user', capacity: 1, refillPerSecond: 1 }],
        'GET /v1/things': [],
      },
    });
    expect([ask(make, ann), ask(make, ann)]).toEqual(['allowed', 'RATE_LIMITED']);
    expect(allowed(Array.from({ length: 10 }, () => ask(list, ann)))).toBe(10);
    settings.withdrawOverrides(['rateLimit.routes']);
    expect(allowed(Array.from({ length: 10 }, () => ask(list, ann)))).toBe(3);
  });

  it('goes by the numbers of the settings for a name on all routes that share it', () => {
    const rule = { name: 'made', by: 'user', capacity: 1, refillPerSecond: 1 };
    settings.overrideAll({ 'rateLimit.routes': { 'POST /v1/things/again': [rule] } });
    expect([ask(make, ann), ask(makeAgain, ann), ask(make, ben), ask(make, ben)]).toEqual([
      'allowed',
      'RATE_LIMITED',
      'allowed',
      'RATE_LIMITED',
    ]);
  });

  it('takes no settings by which one name has different numbers', () => {
    const routes = (capacity: number) => ({
      'GET /a': [{ name: 'one', by: 'user', capacity: 1, refillPerSecond: 1 }],
      'GET /b': [{ name: 'one', by: 'user', capacity, refillPerSecond: 1 }],
    });
    expect(() => settings.overrideAll({ 'rateLimit.routes': routes(2) })).toThrow('same numbers');
    expect(() => settings.overrideAll({ 'rateLimit.routes': routes(-1) })).toThrow('>=1');
    settings.overrideAll({ 'rateLimit.routes': routes(1) });
  });

  it('does nothing while limits are off', () => {
    settings.overrideAll({ 'rateLimit.enabled': false });
    expect(allowed(Array.from({ length: 10 }, () => ask(list, ann)))).toBe(10);
    expect(headers).toEqual({});
  });
});
