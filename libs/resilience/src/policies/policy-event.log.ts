import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { RootLogger } from '#libs/logging';
import { circuitChanged, type CircuitChange } from './policy.channels.js';

/** Writes what an operator must hear of breakers: that they open, and that they close again. */
@Injectable()
export class PolicyEventLog implements OnModuleInit, OnApplicationShutdown {
  private stop: (() => void) | undefined;

  constructor(private readonly root: RootLogger) {}

  onModuleInit(): void {
    this.stop ??= circuitChanged.subscribe((change) => this.onChange(change));
  }

  onApplicationShutdown(): void {
    this.stop?.();
    this.stop = undefined;
  }

  private onChange({ name, before, state, openMs, error }: CircuitChange): void {
    const log = this.root.module('resilience');
    if (state === 'isolated') log.warn('A breaker is held open by hand', { policy: name });
    else if (state === 'closed')
      log.info('A breaker is closed; calls go through', { policy: name });
    else if (state === 'half-open') log.debug('A breaker lets a probe through', { policy: name });
    // A probe that fails is no news.
    else if (before === 'half-open') log.debug('A probe has failed', { policy: name, openMs });
    else log.warn('A breaker has opened; calls fail at once', { policy: name, openMs, err: error });
  }
}
