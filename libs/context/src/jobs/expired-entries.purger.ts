import { Injectable } from '@nestjs/common';
import { ExpiredRowsPurger, PurgesExpiredRows } from '#libs/jobs';
import { SourceInvalidation } from '../caching/source-invalidation.js';
import { ContextDatabase } from '../store/database.js';
import { deleteExpiredEntries } from '../store/retention.queries.js';

/** Has the hourly purge delete entries past the retention of their source, and expired ones. */
@Injectable()
@PurgesExpiredRows()
export class ExpiredEntriesPurger extends ExpiredRowsPurger {
  readonly owner = 'context.entry';

  constructor(
    private readonly database: ContextDatabase,
    private readonly changes: SourceInvalidation,
  ) {
    super();
  }

  async purgeBatch(limit: number, now: Date): Promise<number> {
    const { deleted, sourceIds } = await deleteExpiredEntries(this.database, now, limit);
    await this.changes.entries(sourceIds);
    return deleted;
  }
}
