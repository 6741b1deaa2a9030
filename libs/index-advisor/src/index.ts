export { connectionOf } from './connection/connection.js';
export type { Connection, PgClient } from './connection/connection.js';
export { readCatalog } from './catalog/read-catalog.js';
export type { ReadLimits } from './connection/read-only.js';
export { openWhatIfPlanner } from './what-if/pglite-what-if-planner.js';
export type { WhatIfPlannerOptions } from './what-if/pglite-what-if-planner.js';
export { Confidential } from './catalog/confidential.js';
export type {
  Catalog,
  Check,
  Column,
  Extension,
  ForeignKey,
  ForeignKeyAction,
  Partitioning,
  ServerFacts,
  Table,
  TableActivity,
  TableKind,
  TableSize,
  UserFunction,
  UserType,
  View,
} from './catalog/catalog.js';
export type {
  CatalogIndex,
  IndexActivity,
  IndexConstraint,
  IndexKey,
} from './catalog/catalog-index.js';
export type {
  ColumnStatistics,
  ExtendedStatistics,
  StatisticsValues,
} from './catalog/column-statistics.js';
export { candidateClause, candidateIdentity, quoteName } from './what-if/candidate-index.js';
export type { CandidateIndex, CandidateKey, IndexMethod } from './what-if/candidate-index.js';
export { parsePlan } from './what-if/parse-plan.js';
export type { ExplainedNode } from './what-if/parse-plan.js';
export { planNodes } from './what-if/plan.js';
export type { Plan, PlanNode } from './what-if/plan.js';
export { WhatIfPlanner } from './what-if/what-if-planner.js';
export type {
  Difference,
  IndexName,
  RefusedCandidate,
  Statement,
} from './what-if/what-if-planner.js';
export type { EvidenceValue, Finding, FindingReport } from './finding.js';
export { adviseRemoval, adviseUpkeep } from './removal/advise-removal.js';
export type { RemovalOptions } from './removal/advise-removal.js';
export { readUsageAge } from './removal/usage-age.js';
export type { UsageAge } from './removal/usage-age.js';
export type { WeighedStatement } from './removal/redundant-indexes.js';
export { adviseSchema } from './schema-advice/advise-schema.js';
export type { SchemaAdviceOptions } from './schema-advice/advise-schema.js';
export { readSequences } from './schema-advice/read-sequences.js';
export type { ColumnSequence } from './schema-advice/read-sequences.js';
export { joinWorkload, readWorkload } from './workload/read-workload.js';
export type { ReadWorkloadOptions } from './workload/read-workload.js';
export { WorkloadSource } from './workload/workload.js';
export type {
  RecordedStatement,
  RecordedWorkload,
  Workload,
  WorkloadStatement,
} from './workload/workload.js';
export { proposeCandidates } from './candidates/propose-candidates.js';
export type { ProposedCandidates } from './candidates/propose-candidates.js';
export type { Candidate, CandidateLimits } from './candidates/candidate.js';
export { adviseIndexes } from './selection/advise-indexes.js';
export type { AdviseOptions } from './selection/advise-indexes.js';
export type {
  AdvisedIndex,
  AdviceProgress,
  IndexAdvice,
  ServedStatement,
} from './selection/advice.js';
export { selectIndexes } from './selection/select-indexes.js';
export type { Selection, SelectionOptions } from './selection/select-indexes.js';
export { readProblem, writeProblem } from './selection/problem.js';
export type { SavedProblem } from './selection/problem.js';
export { createStatement, indexName } from './selection/index-name.js';
export type { ChangeSession, OpenChangeSession } from './change/change-session.js';
export { openPgSession } from './change/open-pg-session.js';
export { CallbackChangeAudit, ChangeAudit } from './change/change-audit.js';
export type { ChangeEntry, ChangeStep } from './change/change-audit.js';
export type { ChangeLimits } from './change/change-limits.js';
export type { BuildProgress } from './change/build-watchdog.js';
export { IndexChanger } from './change/index-changer.js';
export type {
  ChangeOutcome,
  ChangeRun,
  IndexChange,
  IndexChangerOptions,
} from './change/index-changer.js';
export { analyseDatabase } from './analysis/analyse-database.js';
export type { AnalyseOptions } from './analysis/analyse-database.js';
export type {
  DatabaseAnalysis,
  EstimatedImprovement,
  ImprovedStatement,
  RecommendedIndex,
} from './analysis/analysis.js';
export { diskFreeBytes } from './change/disk-space.js';
export { PostgresChangeAudit } from './change/postgres.change-audit.js';
export { indexAdvisorControllers } from './http/index.js';
export { IndexAdvisorModule } from './index-advisor.module.js';
export { indexAdvisorSettings } from './index-advisor.settings.js';
export type { IndexAdvisorSettings } from './index-advisor.settings.js';
export { indexAdvisorMigrations } from './migrations/index.js';
export { optimizeQueries } from './query-advice/optimize-queries.js';
export type {
  AppliedOptimization,
  OptimizationReport,
  OptimizedQuery,
  OptimizeOptions,
} from './query-advice/optimize-queries.js';
export type { PlanFinding, PlanFindingCode } from './query-advice/plan-findings.js';
export type { ProvenRewrite, Timing } from './query-advice/prove-rewrite.js';
