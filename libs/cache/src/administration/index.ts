import type { Provider } from '@nestjs/common';
import { CacheControl } from './cache-control.js';
import { CacheOverrides } from './cache-overrides.js';
import { CacheOverview } from './cache-overview.js';
import { MemoryShedding } from './memory-shedding.js';
import { CacheOverrideStore, PostgresCacheOverrideStore } from './override-store.js';

/** Reading and changing the cache at run time, and giving memory back. */
export const administrationProviders: Provider[] = [
  { provide: CacheOverrideStore, useClass: PostgresCacheOverrideStore },
  CacheOverrides,
  CacheOverview,
  CacheControl,
  MemoryShedding,
];
