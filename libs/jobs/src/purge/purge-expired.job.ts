import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, eventChannel, messageOf, PantheonError } from '#libs/core';
import { RootLogger } from '#libs/logging';
import { z } from 'zod';
import { defineJob } from '../job-definition.js';
import { JobHandler, Scheduled } from '../job-handler.decorator.js';
import type { JobRun } from '../job-run.js';
import { jobsSettings } from '../jobs.settings.js';
import type { ExpiredRowsPurger } from './expired-rows.js';
import { ExpiredRowsRegistry } from './expired-rows.registry.js';

/** Deletes what has expired, of every owner. Runs every `jobs.purgeEveryMs`. */
export const purgeExpired = defineJob({
  name: 'purge-expired',
  queue: 'maintenance',
  schema: z.strictObject({}),
  concurrency: 1,
  timeoutMs: 600_000,
});

/** Rows that a purge deleted, by owner; owners without any are not in it. */
export type PurgeReport = Readonly<Record<string, number>>;

/** Every finished purge. */
export const expiredRowsPurged = eventChannel<PurgeReport>('pantheon.jobs.expired-rows-purged');

/** Some owners could not be purged; the others were. */
export class PurgeIncompleteError extends PantheonError {
  constructor(failures: ReadonlyMap<string, unknown>) {
    const list = [...failures].map(([owner, error]) => `${owner}: ${messageOf(error)}`).join('; ');
    super('PURGE_INCOMPLETE', `Expired rows could not be deleted: ${list}`, {
      kind: 'internal',
      cause: new AggregateError([...failures.values()]),
    });
  }
}

/** Runs every purger in batches. One that fails does not stop the others. */
@Injectable()
export class PurgeExpiredJob {
  constructor(
    private readonly registry: ExpiredRowsRegistry,
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
    private readonly log: RootLogger,
  ) {}

  @JobHandler(purgeExpired)
  @Scheduled((settings) => ({ everyMs: settings.get(jobsSettings).purgeEveryMs }))
  async run(_payload: unknown, run: JobRun): Promise<PurgeReport> {
    const report: Record<string, number> = {};
    const failures = new Map<string, unknown>();
    for (const purger of this.registry.purgers) {
      try {
        const deleted = await this.purge(purger, run.signal);
        if (deleted > 0) report[purger.owner] = deleted;
      } catch (error) {
        failures.set(purger.owner, error);
      }
      run.signal.throwIfAborted();
      await run.reportProgress(report);
    }
    this.log.module('jobs').info('Expired rows were deleted', { deleted: report });
    expiredRowsPurged.publish(() => report);
    if (failures.size > 0) throw new PurgeIncompleteError(failures);
    return report;
  }

  private async purge(purger: ExpiredRowsPurger, signal: AbortSignal): Promise<number> {
    const { purgeBatchRows } = this.settings.get(jobsSettings);
    let total = 0;
    while (!signal.aborted) {
      const deleted = await purger.purgeBatch(purgeBatchRows, this.clock.now(), signal);
      total += deleted;
      if (deleted < purgeBatchRows) break;
    }
    return total;
  }
}
