import { threadFile } from '#libs/core';
import { type CpuWorkers, defineCpuTask } from '#libs/resilience';
import type { SelectionWork } from './select-indexes.thread.js';
import { type Selection, selectIndexes } from './select-indexes.js';

/** Solves a problem of index selection. */
export type Selector = (work: SelectionWork) => Promise<Selection>;

/** Selecting as work for a thread: it computes for seconds, in turns of 20 ms. */
export const selectingIndexes = defineCpuTask<SelectionWork, Selection>(
  'index-advisor.select',
  () => threadFile('select-indexes', import.meta.url),
  { isLong: true },
);

const HANGS_AFTER_MS = 60_000;

/** Selects in this thread, in turns. */
export const selectHere: Selector = ({ problem, ...options }) => selectIndexes(problem, options);

/** Selects in a thread of the pool. */
export function selectIn(workers: Pick<CpuWorkers, 'run'>): Selector {
  // It ends by itself when its time is up; the other time-out is for a thread that hangs.
  return (work) =>
    workers.run(selectingIndexes, work, {
      ignoresDeadline: true,
      timeoutMs: 2 * work.timeMs + HANGS_AFTER_MS,
    });
}
