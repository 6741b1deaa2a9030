import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { ExpiredRowsPurger, PurgesExpiredRows } from '#libs/jobs';
import { auditSettings } from './audit.settings.js';
import { SecurityEventStore } from './security-event.store.js';

const DAY_MS = 86_400_000;

/** Has the hourly purge delete events that are older than `audit.retentionDays`. */
@Injectable()
@PurgesExpiredRows()
export class SecurityEventPurger extends ExpiredRowsPurger {
  readonly owner = 'auth.security_event';

  constructor(
    private readonly store: SecurityEventStore,
    private readonly settings: SettingsStore,
  ) {
    super();
  }

  purgeBatch(limit: number, now: Date): Promise<number> {
    const { retentionDays } = this.settings.get(auditSettings);
    return this.store.deleteBefore(new Date(now.getTime() - retentionDays * DAY_MS), limit);
  }
}
