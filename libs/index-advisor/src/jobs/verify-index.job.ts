import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { JobHandler, JobQueue, type JobRun } from '#libs/jobs';
import { RootLogger } from '#libs/logging';
import type { ChangeStep } from '../change/change-audit.js';
import { readIndexState } from '../change/index-state.js';
import { PostgresChangeAudit } from '../change/postgres.change-audit.js';
import { measureStatements } from '../change/statement-meter.js';
import { judgeIndex, type Verdict } from '../change/verdict.js';
import { IndexAdvisor } from '../index-advisor.service.js';
import { indexAdvisorSettings } from '../index-advisor.settings.js';
import { createStatement, indexName } from '../selection/index-name.js';
import { RecorderWorkloadSource } from '../workload/recorder-source.js';
import { changeOf, IndexChanges } from './index-changes.js';
import { type PlannedChange, verifyIndex, type VerifyPayload } from './index-jobs.js';

/** What was found of an index that was built. */
export interface VerifyResult {
  readonly name: string;
  readonly verified: boolean;
  readonly gainPercent: number | null;
  readonly decision: Verdict['decision'] | 'gone';
  readonly reason: string;
}

/** Compares the statements of an index before and after, and removes what does not pay. */
@Injectable()
export class VerifyIndexJob {
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

  @JobHandler(verifyIndex)
  async run(payload: VerifyPayload, _run: JobRun): Promise<VerifyResult> {
    const { change } = payload;
    const name = indexName(changeOf(change).index);
    const verdict = await this.verdictOf(payload);
    if (verdict === undefined) {
      const reason = 'somebody removed the index';
      return { name, verified: false, gainPercent: null, decision: 'gone', reason };
    }
    const { decision, isVerified, gain, reason } = verdict;
    const gainPercent = gain === null ? null : Math.round(gain * 1000) / 10;
    const detail = { verified: isVerified, gainPercent, reason, statements: verdict.statements };
    if (decision === 'wait') {
      await this.write(change, 'measured', detail);
      await this.again(payload);
    } else if (decision === 'revert') {
      await this.changes.changer().revert(changeOf(change), detail);
    } else {
      await this.write(change, 'verified', detail);
    }
    this.log.module('index-advisor').info('An index was judged', { name, decision, ...detail });
    return { name, verified: isVerified, gainPercent, decision, reason };
  }

  private async verdictOf({ change, before, builtAtMs }: VerifyPayload) {
    const { verifyWithinMs, minCalls, minGain } = this.settings.get(indexAdvisorSettings);
    const session = await this.advisor.openSession();
    try {
      const { index } = changeOf(change);
      const { schema, table } = index;
      const state = await readIndexState(session, { schema, table, name: indexName(index) });
      if (state.kind !== 'valid') return undefined;
      const { statements: now } = await measureStatements(session, change.serves, this.recorder);
      const isLast = this.clock.nowMs() - builtAtMs >= verifyWithinMs;
      return judgeIndex({ before, now, scans: state.scans, isLast }, { minCalls, minGain });
    } finally {
      await session.close();
    }
  }

  /** Under no key: this very job, which has the key of the change, has not ended. */
  private async again(payload: VerifyPayload): Promise<void> {
    const { verifyAfterMs } = this.settings.get(indexAdvisorSettings);
    await this.queue.enqueue(verifyIndex, payload, { delayMs: verifyAfterMs });
  }

  private write(
    planned: PlannedChange,
    step: ChangeStep,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { index } = changeOf(planned);
    return this.audit.write({
      changeId: planned.id,
      step,
      schema: index.schema,
      table: index.table,
      index: indexName(index),
      definition: createStatement(index, false),
      detail,
    });
  }
}
