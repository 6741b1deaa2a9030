import type { Provider } from '@nestjs/common';
import { CacheBreakers } from './cache-breakers.js';
import { CacheEventLog } from './cache-event.log.js';
import { CacheMetrics } from './cache-metrics.js';

/** What tells operators of the cache: metrics, and lines of the log. */
export const metricsProviders: Provider[] = [CacheMetrics, CacheBreakers, CacheEventLog];
