import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  HttpException,
  Injectable,
  Req,
  Scope,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Principal } from '#libs/core';
import type { GuardedRequest, RouteGuard } from '#libs/http';
import { Cacheable } from '../decorators/cacheable.decorator.js';
import { closeApps, handler, start } from './testing/counted-app.js';

function principal(userId: string): Principal {
  return { userId, organizationId: `org-${userId}`, email: '', roles: [], grants: [] };
}

/** Takes the user from a header. */
function identify(request: GuardedRequest): string {
  const user = request.headers.authorization;
  if (user === undefined) throw new HttpException('who are you?', 401);
  request.principal = principal(user);
  return user;
}

/** A guard that waits, as they do. */
@Injectable()
class HeaderGuard implements CanActivate {
  static asked = 0;

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await Promise.resolve();
    HeaderGuard.asked += 1;
    return identify(context.switchToHttp().getRequest<GuardedRequest>()) !== 'forbidden';
  }
}

@Injectable()
class QuickGuard implements RouteGuard {
  canActivate(context: ExecutionContext): boolean {
    this.checkOf()(context.switchToHttp().getRequest<GuardedRequest>());
    return true;
  }

  checkOf() {
    return (request: GuardedRequest): void => void identify(request);
  }
}

@UseGuards(HeaderGuard)
@Controller('v1/mine')
class MineController {
  @Get()
  @Cacheable({ varyBy: ['user'] })
  mine(@Req() request: GuardedRequest): object {
    handler.runs += 1;
    return { user: request.principal?.userId, runs: handler.runs };
  }
}

@UseGuards(QuickGuard)
@Controller('v1/quick')
class QuickController {
  @Get()
  @Cacheable({ varyBy: ['user'], tags: ['quick'] })
  quick(@Req() request: GuardedRequest): object {
    handler.runs += 1;
    return { user: request.principal?.userId, runs: handler.runs };
  }
}

afterEach(async () => {
  await closeApps();
  HeaderGuard.asked = 0;
});

describe.each([
  ['a guard that Nest asks', MineController, '/v1/mine'],
  ['a guard that checks the route by itself', QuickController, '/v1/quick'],
] as const)('behind %s', (_, controller, path) => {
  it('refuses before it looks into the cache', async () => {
    const app = await start([controller]);
    await app.get(path, { authorization: 'anna' });
    const refused = await app.get(path);
    expect(refused.status).toBe(401);
    expect(refused.headers['x-cache']).toBeUndefined();
    expect((await app.get(path, { 'cache-control': 'only-if-cached' })).status).toBe(401);
    expect((await app.get(path, {}, 'HEAD')).status).toBe(401);
  });

  it('gives each user the own answer', async () => {
    const app = await start([controller]);
    for (const user of ['anna', 'bert', 'anna', 'bert']) {
      const { text, headers } = await app.get(path, { authorization: user });
      expect(JSON.parse(text)).toMatchObject({ user });
      expect(headers['cache-control']).toMatch(/^private\b/);
      expect(headers.vary).toBe('authorization, x-api-key');
      expect(headers['surrogate-key']).toContain(`user:${user}`);
    }
    expect(handler.runs).toBe(2);
    await app.hub.invalidateTags(['user:anna']);
    await app.get(path, { authorization: 'bert' });
    expect(handler.runs).toBe(2);
    await app.get(path, { authorization: 'anna' });
    expect(handler.runs).toBe(3);
  });
});

describe('guards', () => {
  it('run once for each request, whether it is a hit or a miss', async () => {
    const app = await start([MineController]);
    await app.get('/v1/mine', { authorization: 'anna' });
    expect(HeaderGuard.asked).toBe(1);
    await app.get('/v1/mine', { authorization: 'anna' });
    expect(HeaderGuard.asked).toBe(2);
    expect((await app.get('/v1/mine', { authorization: 'forbidden' })).status).toBe(403);
  });

  it('are asked too when they are made for each controller', async () => {
    const app = await start([QuickController], {
      module: {
        providers: [{ provide: APP_GUARD, useClass: HeaderGuard, scope: Scope.TRANSIENT }],
      },
    });
    await app.get('/v1/quick', { authorization: 'anna' });
    await app.get('/v1/quick', { authorization: 'anna' });
    expect(HeaderGuard.asked).toBe(2);
    expect((await app.get('/v1/quick', { authorization: 'forbidden' })).status).toBe(403);
  });

  it('that are made for each request leave nothing to keep', async () => {
    const starting = start([QuickController], {
      module: { providers: [{ provide: APP_GUARD, useClass: HeaderGuard, scope: Scope.REQUEST }] },
    });
    await expect(starting).rejects.toThrow('its controller is made anew for each request');
  });
});
