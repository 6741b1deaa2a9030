import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Policies } from '#libs/resilience';
import { CacheHub } from '../engine/cache-hub.js';

/** Shows the breakers of the cache's shared parts beside those of policies; the cache works them itself. */
@Injectable()
export class CacheBreakers implements OnModuleInit {
  constructor(
    private readonly policies: Policies,
    private readonly hub: CacheHub,
  ) {}

  onModuleInit(): void {
    this.policies.addSource(() =>
      this.hub
        .gates()
        .map(({ part, breaker }) => ({ name: `cache.${part}`, state: breaker.state })),
    );
  }
}
