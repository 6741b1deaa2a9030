import { Module, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { RateLimits } from '../rate-limits.js';
import { RateLimitGuard } from './rate-limit.guard.js';

/**
 * Puts the limits of callers and of routes behind the guards of the modules that are imported before
 * it: users are known by then. For an app with HTTP.
 */
@Module({ providers: [{ provide: APP_GUARD, useClass: RateLimitGuard }] })
export class RateLimitGuardModule implements OnModuleInit {
  constructor(private readonly limits: RateLimits) {}

  onModuleInit(): Promise<void> {
    return this.limits.open();
  }
}
