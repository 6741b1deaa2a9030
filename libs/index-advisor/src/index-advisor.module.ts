import { Module } from '@nestjs/common';
import { AnalysisStore } from './analysis/analysis.store.js';
import { PostgresChangeAudit } from './change/postgres.change-audit.js';
import { IndexAdvisor } from './index-advisor.service.js';
import { AnalyseIndexesJob } from './jobs/analyse-indexes.job.js';
import { ApplyIndexJob } from './jobs/apply-index.job.js';
import { IndexChanges } from './jobs/index-changes.js';
import { VerifyIndexJob } from './jobs/verify-index.job.js';
import { RecorderWorkloadSource } from './workload/recorder-source.js';

/**
 * Advice on indexes, schema and queries, and its jobs. It needs `DataSource`, `SettingsStore`,
 * `Clock`, `RootLogger`, `JobQueue`, `QueryInsights` and `CpuWorkers` from global modules. Routes are mounted by
 * the app: `indexAdvisorControllers`.
 */
@Module({
  providers: [
    AnalysisStore,
    PostgresChangeAudit,
    RecorderWorkloadSource,
    IndexAdvisor,
    IndexChanges,
    AnalyseIndexesJob,
    ApplyIndexJob,
    VerifyIndexJob,
  ],
  exports: [IndexAdvisor, PostgresChangeAudit],
})
export class IndexAdvisorModule {}
