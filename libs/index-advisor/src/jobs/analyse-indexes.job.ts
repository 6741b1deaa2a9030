import { Injectable } from '@nestjs/common';
import { JobHandler, type JobRun, Scheduled } from '#libs/jobs';
import { RootLogger } from '#libs/logging';
import { IndexAdvisor } from '../index-advisor.service.js';
import { indexAdvisorSettings } from '../index-advisor.settings.js';
import { analyseIndexes } from './index-jobs.js';

export interface AnalyseResult {
  readonly recommended: readonly string[];
  readonly toRemove: readonly string[];
  readonly improvement: number;
}

/** Runs an analysis in the background. */
@Injectable()
export class AnalyseIndexesJob {
  constructor(
    private readonly advisor: IndexAdvisor,
    private readonly log: RootLogger,
  ) {}

  @JobHandler(analyseIndexes)
  @Scheduled((settings) => {
    const { schedule } = settings.get(indexAdvisorSettings);
    return schedule === undefined ? null : { pattern: schedule };
  })
  async run(_payload: unknown, run: JobRun): Promise<AnalyseResult> {
    let reported = 0;
    const reports: Promise<void>[] = [];
    const analysis = await this.advisor.analyse(({ done }) => {
      if (done - reported < 0.05) return;
      reported = done;
      reports.push(run.reportProgress(Math.min(1, done)));
    });
    await Promise.all(reports);
    const result = {
      recommended: analysis.recommended.map(({ name }) => name),
      toRemove: analysis.toRemove.map(({ object }) => object),
      improvement: analysis.estimated.improvement,
    };
    this.log.module('index-advisor').info('Indexes were analysed', result);
    return result;
  }
}
