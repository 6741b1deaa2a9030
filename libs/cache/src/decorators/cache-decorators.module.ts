import { Global, Module, type NestModule, type OnModuleInit } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { CacheableAccessor } from './cacheable.accessor.js';
import { CacheableExplorer } from './cacheable.explorer.js';
import { CachedMethods } from './cached-methods.js';

/**
 * Makes the decorators work. Imported by `CacheModule`, which provides `Caches`. An application with
 * routes calls `configure` after all instances are made and before it registers them and calls any
 * `onModuleInit`; one without routes calls `onModuleInit` of global modules first.
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [CacheableAccessor, CacheableExplorer, CachedMethods],
  exports: [CachedMethods],
})
export class CacheDecoratorsModule implements NestModule, OnModuleInit {
  constructor(private readonly explorer: CacheableExplorer) {}

  configure(): void {
    this.explorer.explore();
  }

  onModuleInit(): void {
    this.explorer.explore();
  }
}
