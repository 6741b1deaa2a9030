import { Global, Module, type NestModule, type OnModuleInit } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { Policies } from './policies.js';
import { ResilientAccessor } from './resilient.accessor.js';
import { ResilientExplorer } from './resilient.explorer.js';

/**
 * Policies, and what makes `@Resilient` work. An application with routes calls `configure` after all
 * instances are made and before it registers them and calls any `onModuleInit`; one without routes
 * calls `onModuleInit` of global modules first.
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    {
      provide: Policies,
      useFactory: (store: SettingsStore, clock: Clock) => new Policies(store, clock),
      inject: [SettingsStore, Clock],
    },
    ResilientAccessor,
    ResilientExplorer,
  ],
  exports: [Policies],
})
export class PoliciesModule implements NestModule, OnModuleInit {
  constructor(private readonly explorer: ResilientExplorer) {}

  configure(): void {
    this.explorer.explore();
  }

  onModuleInit(): void {
    this.explorer.explore();
  }
}
