import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { defineJob, JobHandler, type JobRun, Scheduled } from '#libs/jobs';
import { z } from 'zod';
import { AccessPartitions } from '../access/access-partitions.js';
import { contextSettings } from '../context.settings.js';
import { EntryIndexer } from '../store/entry-indexer.js';

const DAY_MS = 86_400_000;
const SWEEP_EVERY_MS = 30_000;
const PARTITIONS_EVERY_MS = 6 * 3_600_000;

/** Indexes what a crash or a failure has left in the outbox. */
export const sweepEntryIndex = defineJob({
  name: 'context-index-sweep',
  queue: 'maintenance',
  schema: z.strictObject({}),
  attempts: 1,
  timeoutMs: 600_000,
});

/** Makes the partitions of access events for the days ahead, and drops the old ones. */
export const maintainAccessPartitions = defineJob({
  name: 'context-access-partitions',
  queue: 'maintenance',
  schema: z.strictObject({}),
  timeoutMs: 60_000,
});

/** The scheduled work of this lib. */
@Injectable()
export class ContextJobs {
  constructor(
    private readonly indexer: EntryIndexer,
    private readonly partitions: AccessPartitions,
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
  ) {}

  @JobHandler(sweepEntryIndex)
  @Scheduled({ everyMs: SWEEP_EVERY_MS })
  async sweep(_payload: unknown, { signal }: JobRun): Promise<{ written: number }> {
    return { written: await this.indexer.sweep(signal) };
  }

  @JobHandler(maintainAccessPartitions)
  @Scheduled({ everyMs: PARTITIONS_EVERY_MS })
  async maintainPartitions(): Promise<{ dropped: string[] }> {
    const now = this.clock.now();
    const { accessRetentionDays } = this.settings.get(contextSettings);
    await this.partitions.ensure(now);
    const oldest = new Date(now.getTime() - accessRetentionDays * DAY_MS);
    return { dropped: await this.partitions.dropBefore(oldest) };
  }
}
