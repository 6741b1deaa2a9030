import { Injectable } from '@nestjs/common';
import { ExpiredRowsPurger, PurgesExpiredRows } from '#libs/jobs';
import { ContextDatabase } from '../store/database.js';
import { deleteExpiredEntries } from '../store/retention.queries.js';

/** Has the hourly purge delete entries past the retention of their source, and expired ones. */
@Injectable()
@PurgesExpiredRows()
export class ExpiredEntriesPurger extends ExpiredRowsPurger {
  readonly owner = 'context.entry';

  constructor(private readonly database: ContextDatabase) {
    super();
  }

  purgeBatch(limit: number, now: Date): Promise<number> {
    return deleteExpiredEntries(this.database, now, limit);
  }
}
