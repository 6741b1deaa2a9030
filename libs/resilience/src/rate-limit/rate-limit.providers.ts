import type { Provider } from '@nestjs/common';
import { RateLimitExplorer } from './http/rate-limit.explorer.js';
import { RateLimitGuard } from './http/rate-limit.guard.js';
import { RateLimitEventLog } from './rate-limit-event.log.js';
import { RateLimitMetrics } from './rate-limit.metrics.js';
import { RateLimits } from './rate-limits.js';

/** Rate limits, their metrics and their lines of the log. */
export const rateLimitProviders: Provider[] = [
  RateLimits,
  RateLimitGuard,
  RateLimitExplorer,
  RateLimitMetrics,
  RateLimitEventLog,
];
