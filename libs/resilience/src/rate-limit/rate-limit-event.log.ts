import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { RootLogger } from '#libs/logging';
import { rateLimitStoreChanged } from './rate-limit.events.js';

/** Writes when the processes cease to share their budgets, and when they do so again. */
@Injectable()
export class RateLimitEventLog implements OnModuleInit, OnApplicationShutdown {
  private stop: (() => void) | undefined;
  private wasAway = false;

  constructor(private readonly root: RootLogger) {}

  onModuleInit(): void {
    this.stop ??= rateLimitStoreChanged.subscribe(({ store, state, error }) => {
      const log = this.root.module('rate-limit');
      if (state === 'local') {
        log.warn('The store of rate limits is away; this process goes by its part of them', {
          store,
          err: error,
        });
      } else if (this.wasAway) log.info('The store of rate limits answers again', { store });
      this.wasAway = state === 'local';
    });
  }

  onApplicationShutdown(): void {
    this.stop?.();
    this.stop = undefined;
  }
}
