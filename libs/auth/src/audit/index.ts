import type { Provider } from '@nestjs/common';
import { AuditMetrics } from './audit.metrics.js';
import { AuditTrail } from './audit-trail.js';
import { AuditWriter } from './audit-writer.js';
import { SecurityEventPurger } from './security-event.purger.js';
import { SecurityEventStore } from './security-event.store.js';

/** What records security events, beside `SecurityEvents`, which reads them. */
export const auditProviders: Provider[] = [
  AuditMetrics,
  AuditTrail,
  AuditWriter,
  SecurityEventPurger,
  SecurityEventStore,
];
