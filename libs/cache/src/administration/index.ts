import type { Provider } from '@nestjs/common';
import { CacheControl } from './cache-control.js';
import { CacheOverrides } from './cache-overrides.js';
import { CacheOverview } from './cache-overview.js';
import { CacheOverrideStore, PostgresCacheOverrideStore } from './override-store.js';

/** Reading and changing the cache at run time. */
export const administrationProviders: Provider[] = [
  { provide: CacheOverrideStore, useClass: PostgresCacheOverrideStore },
  CacheOverrides,
  CacheOverview,
  CacheControl,
];
