import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { CacheRuntime } from './cache.runtime.js';

/**
 * Closes the cache while the database is there still, so that the others hear that this process has
 * left and do not wait for it. It is not global for that reason: Nest closes global modules last, and
 * the one of the data source before those that were imported at its side.
 */
@Module({})
export class CacheShutdownModule implements OnApplicationShutdown {
  constructor(private readonly runtime: CacheRuntime) {}

  onApplicationShutdown(): Promise<void> {
    return this.runtime.close();
  }
}
