import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { RootLogger } from '#libs/logging';
import { type AuthEvent, authEvents } from './auth.events.js';

/** Writes what an operator must hear of: signs of theft and of guessing. */
@Injectable()
export class AuthEventLog implements OnModuleInit, OnApplicationShutdown {
  private stop: (() => void) | undefined;

  constructor(private readonly log: RootLogger) {}

  onModuleInit(): void {
    this.stop ??= authEvents.subscribe((event) => this.write(event));
  }

  onApplicationShutdown(): void {
    this.stop?.();
    this.stop = undefined;
  }

  private write(event: AuthEvent): void {
    const log = this.log.module('auth');
    if (event.type === 'refresh-token-reused') {
      const { sessionId, userId } = event;
      log.warn('A refresh token was used twice; its session was ended', { sessionId, userId });
    } else if (event.type === 'eviction-unconfirmed') {
      const { what, error: err } = event;
      log.warn('A change of permissions was stored, but not every process has confirmed it', {
        code: 'AUTH_EVICTION_UNCONFIRMED',
        what,
        err,
      });
    } else if (event.type === 'login' && event.outcome === 'throttled') {
      log.warn('Log-ins are refused after too many failures', { address: event.address });
    } else if (event.type === 'login' && event.outcome === 'failed') {
      log.info('A log-in failed', { address: event.address });
    }
  }
}
