import { Clock, SystemClock } from '#libs/core';
import type { Catalog } from '../catalog/catalog.js';
import { readCatalog } from '../catalog/read-catalog.js';
import type { CandidateLimits } from '../candidates/candidate.js';
import { proposeCandidates } from '../candidates/propose-candidates.js';
import type { Connection } from '../connection/connection.js';
import { candidateIdentity } from '../what-if/candidate-index.js';
import { openWhatIfPlanner } from '../what-if/pglite-what-if-planner.js';
import type { WhatIfPlanner } from '../what-if/what-if-planner.js';
import { readWorkload } from '../workload/read-workload.js';
import type { Workload } from '../workload/workload.js';
import type { AdviceProgress, AdviceStep, IndexAdvice } from './advice.js';
import { buildProblem, refusedBy } from './build-problem.js';
import { reportAdvice } from './report-advice.js';
import { rowWrites } from './row-writes.js';
import { selectVerified } from './select-verified.js';
import type { Selector } from './selector.js';

/** What to advise on: a connection, or what was read from one before. */
export type AdviceSource =
  | { readonly connection: Connection; readonly catalog?: Catalog; readonly workload?: Workload }
  | { readonly connection?: undefined; readonly catalog: Catalog; readonly workload: Workload };

export type AdviseOptions = AdviceSource & {
  /** Closed by whoever gives it; without one, one is opened for the catalog. */
  readonly planner?: WhatIfPlanner;
  /** Bytes that the new indexes may take together; default 1 GiB. */
  readonly budgetBytes?: number;
  /** Time for planning and selecting; default 60 s. More makes the gap smaller. */
  readonly timeMs?: number;
  readonly limits?: CandidateLimits;
  readonly onProgress?: (progress: AdviceProgress) => void;
  readonly clock?: Clock;
  /** Default: here, in turns. */
  readonly select?: Selector;
};

const DEFAULT_BUDGET = 1024 ** 3;
/** Where each step begins in all the work. */
const STARTS: Readonly<Record<AdviceStep, readonly [from: number, to: number]>> = {
  reading: [0, 0.05],
  preparing: [0.05, 0.15],
  screening: [0.15, 0.4],
  planning: [0.4, 0.8],
  selecting: [0.8, 1],
};
/** Statements that are planned, those that took most of the time first. */
const MAX_STATEMENTS = 400;

/**
 * Advises indexes for what a database is asked: proposes candidates, plans the workload with them
 * on a copy of the statistics, and chooses those that save most within the budget, writes included.
 * Nothing runs on the database but queries of its catalogs.
 */
export async function adviseIndexes(options: AdviseOptions): Promise<IndexAdvice> {
  const progress = (step: AdviceStep, done: number) => {
    const [from, to] = STARTS[step];
    options.onProgress?.({ step, done: from + done * (to - from) });
  };
  progress('reading', 0);
  const { catalog, workload } = await sourceOf(options);
  progress('preparing', 0);
  const planner = options.planner ?? (await openWhatIfPlanner(catalog));
  try {
    return await advise(catalog, workload, planner, { ...options, progress });
  } finally {
    if (options.planner === undefined) await planner.close();
    progress('selecting', 1);
  }
}

async function advise(
  catalog: Catalog,
  workload: Workload,
  planner: WhatIfPlanner,
  options: AdviseOptions & { readonly progress: (step: AdviceStep, done: number) => void },
): Promise<IndexAdvice> {
  const { budgetBytes = DEFAULT_BUDGET, timeMs = 60_000, progress } = options;
  const clock = options.clock ?? new SystemClock();
  const startedMs = clock.monotonicMs();
  const elapsedMs = () => clock.monotonicMs() - startedMs;
  const considered = workload.statements.slice(0, MAX_STATEMENTS);
  const proposed = await proposeCandidates(
    catalog,
    { ...workload, statements: considered },
    options.limits,
  );
  const refused = await refusedBy(planner, proposed.candidates);
  const built = await buildProblem({
    catalog,
    planner,
    budgetBytes,
    statements: considered.flatMap((statement) => {
      const facts = proposed.facts.get(statement.fingerprint);
      // A statement that reads no table costs the same whatever indexes there are.
      return facts === undefined || facts.uses.length === 0 ? [] : [{ statement, facts }];
    }),
    candidates: proposed.candidates.filter(({ index }) => !refused.has(candidateIdentity(index))),
    writes: rowWrites(catalog, workload, proposed.facts, clock.now()),
    isOver: (share) => elapsedMs() > timeMs * share,
    onProgress: progress,
  });
  progress('selecting', 0);
  const selected = await selectVerified(
    built,
    () => Math.max(1000, timeMs - elapsedMs()),
    options.select,
  );
  const left = workload.statements.length - considered.length;
  return reportAdvice({
    catalog,
    workload,
    built,
    selected,
    differences: planner.differences,
    candidates: proposed.candidates.length,
    notes: [
      ...workload.notes,
      ...proposed.notes,
      ...(left > 0 ? [`${left} statements that take little time were not planned.`] : []),
    ],
  });
}

async function sourceOf(
  options: AdviseOptions,
): Promise<{ readonly catalog: Catalog; readonly workload: Workload }> {
  const { connection } = options;
  if (connection === undefined) return options;
  return {
    catalog: options.catalog ?? (await readCatalog(connection)),
    workload: options.workload ?? (await readWorkload(connection)),
  };
}
