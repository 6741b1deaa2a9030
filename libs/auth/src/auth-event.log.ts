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
    switch (event.type) {
      case 'refresh-token-reused': {
        const { sessionId, userId } = event;
        log.warn('A refresh token was used twice; its session was ended', { sessionId, userId });
        break;
      }
      case 'session-anomaly': {
        const { sessionId, userId, risk, anomalies } = event;
        const fields = { sessionId, userId, anomalies };
        if (risk === 'high')
          log.warn('A session is most likely not in the hands of its user', fields);
        else log.info('A session is unlike those that its user had before', fields);
        break;
      }
      case 'eviction-unconfirmed':
        log.warn('A change of permissions was stored, but not every process has confirmed it', {
          code: 'AUTH_EVICTION_UNCONFIRMED',
          what: event.what,
          err: event.error,
        });
        break;
      case 'session-activity-unwritten':
        log.warn('The use of sessions could not be written; some may end too soon', {
          err: event.error,
        });
        break;
      case 'breach-check-failed':
        log.warn('A password was accepted without knowing whether it was breached', {
          err: event.error,
        });
        break;
      case 'oauth-code-reused': {
        const { clientId, sessionId, userId } = event;
        log.warn('A code was used twice; its session was ended', { clientId, sessionId, userId });
        break;
      }
      case 'signing-key': {
        const { action, by } = event;
        log.info('The keys that sign tokens have changed', { action, by });
        break;
      }
      case 'signing-keys-unread':
        log.warn('The keys that sign tokens could not be read again', { err: event.error });
        break;
      case 'login':
        if (event.outcome === 'throttled') {
          log.warn('Log-ins are refused after too many failures', { address: event.address });
        } else if (event.outcome === 'failed') {
          log.info('A log-in failed', { address: event.address });
        }
        break;
      default:
    }
  }
}
