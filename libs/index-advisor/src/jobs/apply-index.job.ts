import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { JobHandler, JobQueue, type JobRun } from '#libs/jobs';
import { RootLogger } from '#libs/logging';
import type { ChangeOutcome } from '../change/index-changer.js';
import { PostgresChangeAudit } from '../change/postgres.change-audit.js';
import { measureStatements } from '../change/statement-meter.js';
import { IndexAdvisor } from '../index-advisor.service.js';
import { indexAdvisorSettings } from '../index-advisor.settings.js';
import { RecorderWorkloadSource } from '../workload/recorder-source.js';
import { applyIndex, type ApplyPayload, type PlannedChange, verifyIndex } from './index-jobs.js';
import { changeOf, IndexChanges } from './index-changes.js';

export interface ApplyResult {
  readonly indexes: readonly ChangeOutcome[];
}

/** Builds the indexes of a request, and sees to it that each is judged later. */
@Injectable()
export class ApplyIndexJob {
  constructor(
    private readonly changes: IndexChanges,
    private readonly audit: PostgresChangeAudit,
    private readonly advisor: IndexAdvisor,
    private readonly recorder: RecorderWorkloadSource,
    private readonly queue: JobQueue,
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
    private readonly log: RootLogger,
  ) {}

  @JobHandler(applyIndex)
  async run({ changes }: ApplyPayload, run: JobRun): Promise<ApplyResult> {
    const changer = this.changes.changer();
    const indexes: ChangeOutcome[] = [];
    for (const [position, planned] of changes.entries()) {
      const reports: Promise<void>[] = [];
      let lastPhase = '';
      const outcome = await changer.build(changeOf(planned), {
        signal: run.signal,
        onProgress: ({ phase }) => {
          if (phase === lastPhase) return;
          lastPhase = phase;
          reports.push(run.reportProgress({ index: position + 1, of: changes.length, phase }));
        },
      });
      await Promise.all(reports);
      indexes.push(outcome);
      this.log.module('index-advisor').info('An index was built', { ...outcome });
      await this.verifyLater(planned, outcome);
    }
    await run.reportProgress(1);
    return { indexes };
  }

  private async verifyLater(change: PlannedChange, { state }: ChangeOutcome): Promise<void> {
    // An index that was there before is not ours to remove.
    if (state === 'already-there' && !(await this.audit.hasBuilt(change.id))) return;
    const session = await this.advisor.openSession();
    try {
      const measured = await measureStatements(session, change.serves, this.recorder);
      await this.queue.enqueue(
        verifyIndex,
        {
          change,
          source: measured.source,
          before: { ...measured.statements },
          builtAtMs: this.clock.nowMs(),
        },
        {
          delayMs: this.settings.get(indexAdvisorSettings).verifyAfterMs,
          deduplicationKey: `verify-${change.id}`,
        },
      );
    } finally {
      await session.close();
    }
  }
}
