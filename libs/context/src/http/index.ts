import { BulkController } from './bulk.controller.js';
import { ConsistencyController } from './consistency.controller.js';
import { ContextsController } from './contexts.controller.js';
import { EntriesController } from './entries.controller.js';
import { MemoriesController } from './memories.controller.js';
import { MemoryPreloadController } from './memory-preload.controller.js';
import { SourcesController } from './sources.controller.js';

/** The controllers of this lib, for an application to mount. */
export const contextControllers = [
  SourcesController,
  EntriesController,
  BulkController,
  ConsistencyController,
  ContextsController,
  MemoryPreloadController,
  MemoriesController,
] as const;
