import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { ExpiredRowsPurger, PurgesExpiredRows } from '#libs/jobs';
import { apiKeySettings } from './api-key.settings.js';
import { ApiKeyStore } from './api-key.store.js';

const DAY_MS = 86_400_000;

/** Has the hourly purge delete keys that ended `apiKeys.endedRetentionDays` ago. */
@Injectable()
@PurgesExpiredRows()
export class EndedApiKeysPurger extends ExpiredRowsPurger {
  readonly owner = 'auth.api_key';

  constructor(
    private readonly store: ApiKeyStore,
    private readonly settings: SettingsStore,
  ) {
    super();
  }

  purgeBatch(limit: number, now: Date): Promise<number> {
    const { endedRetentionDays } = this.settings.get(apiKeySettings);
    return this.store.deleteEnded(new Date(now.getTime() - endedRetentionDays * DAY_MS), limit);
  }
}
