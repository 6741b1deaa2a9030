import type { Provider } from '@nestjs/common';
import { DatabaseBreaker } from './database-breaker.js';
import { PolicyEventLog } from './policy-event.log.js';
import { PolicyMetrics } from './policy-metrics.js';

/** What tells operators of policies: metrics, and lines of the log. */
export const policyProviders: Provider[] = [PolicyMetrics, PolicyEventLog, DatabaseBreaker];
