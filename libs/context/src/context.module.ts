import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Caches } from '#libs/cache';
import { SettingsStore } from '#libs/config';
import { AccessControl, Clock } from '#libs/core';
import { CpuWorkers, OutboundHttp } from '#libs/resilience';
import { DataSource } from 'typeorm';
import { AccessPartitions } from './access/access-partitions.js';
import { SourceCache } from './caching/source-cache.js';
import { SourceInvalidation } from './caching/source-invalidation.js';
import { ContextMetrics } from './caching/context-metrics.js';
import { ContextWarningLog } from './context-warning.log.js';
import { type Context, createContext } from './create-context.js';
import { ContextJobs } from './jobs/context.jobs.js';
import { ExpiredEntriesPurger } from './jobs/expired-entries.purger.js';
import { MemoryPreloader } from './preload/memory-preloader.js';
import { PreloadJobs } from './preload/preload.jobs.js';
import { PreloadService } from './preload/preload.service.js';
import { CompileService } from './services/compile.service.js';
import { EntryService } from './services/entry.service.js';
import { MemoryService } from './services/memory.service.js';
import { SourceService } from './services/source.service.js';
import { ContextDatabase } from './store/database.js';
import { EntryIndexer } from './store/entry-indexer.js';

const CONTEXT = Symbol('Context');

/**
 * Sources, entries, compile and memories. It needs `DataSource`, `SettingsStore`, `Clock`,
 * `RootLogger`, `Metrics`, `Caches`, `CpuWorkers`, `OutboundHttp` and `AccessControl` from global modules. Routes are mounted by the app: `contextControllers`.
 */
@Module({
  providers: [
    {
      provide: CONTEXT,
      useFactory: (
        dataSource: DataSource,
        settings: SettingsStore,
        clock: Clock,
        access: AccessControl,
        caches: Caches,
        workers: CpuWorkers,
        outbound: OutboundHttp,
      ) => createContext({ dataSource, settings, clock, access, caches, workers, outbound }),
      inject: [DataSource, SettingsStore, Clock, AccessControl, Caches, CpuWorkers, OutboundHttp],
    },
    part(SourceService, ({ sources }) => sources),
    part(EntryService, ({ entries }) => entries),
    part(CompileService, ({ compiler }) => compiler),
    part(MemoryService, ({ memories }) => memories),
    part(ContextDatabase, ({ stores }) => stores.database),
    part(EntryIndexer, ({ stores }) => stores.indexer),
    part(AccessPartitions, ({ partitions }) => partitions),
    part(SourceInvalidation, ({ changes }) => changes),
    part(SourceCache, ({ sourceCache }) => sourceCache),
    part(MemoryPreloader, ({ preloader }) => preloader),
    ContextJobs,
    ContextMetrics,
    ContextWarningLog,
    ExpiredEntriesPurger,
    PreloadJobs,
    PreloadService,
  ],
  exports: [
    SourceService,
    EntryService,
    CompileService,
    MemoryService,
    PreloadService,
    SourceCache,
  ],
})
export class ContextModule implements OnApplicationShutdown {
  constructor(
    @Inject(CONTEXT) private readonly context: Context,
    private readonly warnings: ContextWarningLog,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.context.close();
    // Last, since closing may have something to say.
    this.warnings.stop();
  }
}

function part<Part extends object>(
  token: abstract new (...args: never[]) => Part,
  pick: (context: Context) => Part,
) {
  return { provide: token, useFactory: pick, inject: [CONTEXT] };
}
