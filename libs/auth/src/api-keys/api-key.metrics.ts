import { Injectable, type OnModuleInit, Optional } from '@nestjs/common';
import { Metrics } from '#libs/metrics';
import { ApiKeyUsage } from './api-key-usage.js';

/** Tells whether uses of API keys go uncounted. */
@Injectable()
export class ApiKeyMetrics implements OnModuleInit {
  constructor(
    private readonly usage: ApiKeyUsage,
    @Optional() private readonly metrics?: Metrics,
  ) {}

  onModuleInit(): void {
    this.metrics?.registry.total(
      'api_key_uses_lost_total',
      'Uses of API keys that nobody counted because too many keys were in use at once',
      () => this.usage.lost,
    );
  }
}
