import { Clock, SystemClock } from '#libs/core';
import { readCatalog } from '../catalog/read-catalog.js';
import type { Connection } from '../connection/connection.js';
import { adviseRemoval } from '../removal/advise-removal.js';
import { daysCounted, readUsageAge, type UsageAge } from '../removal/usage-age.js';
import { adviseIndexes } from '../selection/advise-indexes.js';
import type { AdvisedIndex, AdviceProgress, IndexAdvice } from '../selection/advice.js';
import type { Selector } from '../selection/selector.js';
import { openWhatIfPlanner, type WhatIfPlannerOptions } from '../what-if/pglite-what-if-planner.js';
import { readWorkload } from '../workload/read-workload.js';
import type { Workload, WorkloadSource } from '../workload/workload.js';
import { type DatabaseAnalysis, freedBytes, type RecommendedIndex } from './analysis.js';

export interface AnalyseOptions extends WhatIfPlannerOptions {
  readonly connection: Connection;
  /** Who counts statements beside pg_stat_statements. */
  readonly sources?: readonly WorkloadSource[];
  readonly budgetBytes?: number;
  readonly timeMs?: number;
  /** Counters of use say nothing before this; default 14. */
  readonly minStatisticsDays?: number;
  readonly onProgress?: (progress: AdviceProgress) => void;
  readonly clock?: Clock;
  /** Default: here, in turns. */
  readonly select?: Selector;
}

/** Statements of which it is proved that they do without an index, the costliest first. */
const MAX_PROVEN = 400;

/**
 * Reads what a database is and what it is asked, and advises which indexes to build and which to
 * remove. Nothing runs on the database but queries of its catalogs.
 */
export async function analyseDatabase(options: AnalyseOptions): Promise<DatabaseAnalysis> {
  const { connection, clock = new SystemClock() } = options;
  options.onProgress?.({ step: 'reading', done: 0 });
  const catalog = await readCatalog(connection);
  const age = await readUsageAge(connection);
  const workload = await readWorkload(connection, {
    clock,
    ...(options.sources === undefined ? {} : { sources: options.sources }),
  });
  const planner = await openWhatIfPlanner(catalog, options);
  try {
    const advice = await adviseIndexes({
      catalog,
      workload,
      planner,
      clock,
      ...(options.budgetBytes === undefined ? {} : { budgetBytes: options.budgetBytes }),
      ...(options.timeMs === undefined ? {} : { timeMs: options.timeMs }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
      ...(options.select === undefined ? {} : { select: options.select }),
    });
    const removal = await adviseRemoval({
      catalog,
      age,
      planner,
      statements: weighed(workload),
      ...(options.minStatisticsDays === undefined ? {} : { minDays: options.minStatisticsDays }),
    });
    return {
      analysedAt: clock.now().toISOString(),
      server: { version: catalog.server.majorVersion, database: catalog.server.database },
      statistics: statisticsAge(age),
      workload: { statements: workload.statements.length, days: workload.days ?? null },
      recommended: advice.indexes.map((index) => recommended(index)),
      toRemove: removal.findings,
      estimated: { ...estimated(advice), freedBytes: freedBytes(removal.findings) },
      notes: [
        ...advice.notes,
        ...removal.notes,
        ...advice.differences.map(({ subject, detail }) => `${subject}: ${detail}`),
      ],
    };
  } finally {
    await planner.close();
  }
}

/** How old the counters of use are, as JSON. */
export function statisticsAge(age: UsageAge): DatabaseAnalysis['statistics'] {
  const days = daysCounted(age);
  return {
    since: age.since?.toISOString() ?? null,
    days: days === undefined ? null : Math.round(days * 100) / 100,
    replicas: age.replicas,
  };
}

function weighed({ statements }: Workload) {
  return statements
    .slice(0, MAX_PROVEN)
    .map(({ sql, parameters, calls }) =>
      parameters === undefined ? { sql, calls } : { sql, parameters, calls },
    );
}

function recommended({ serves, supersedes, ...index }: AdvisedIndex): RecommendedIndex {
  return {
    ...index,
    serves: serves.map(({ savedMsPerDay, ...served }) => ({
      ...served,
      savedMsPerDay: savedMsPerDay ?? null,
    })),
    supersedes: supersedes.map(({ schema, name }) => `${schema}.${name}`),
  };
}

function estimated(advice: IndexAdvice) {
  const { queryCostBefore: costBefore, queryCostAfter: costAfter } = advice;
  const { writeCost, sizeBytes, gap } = advice;
  const improvement = costBefore > 0 ? 1 - costAfter / costBefore : 0;
  return { costBefore, costAfter, improvement, writeCost, sizeBytes, gap };
}
