import type { SavedProblem } from './problem.js';
import { type Selection, selectIndexes } from './select-indexes.js';

/** A problem to solve, and how long that may take. */
export interface SelectionWork {
  readonly problem: SavedProblem;
  readonly timeMs: number;
  readonly targetGap?: number;
}

export function run({ problem, ...options }: SelectionWork): Promise<Selection> {
  return selectIndexes(problem, options);
}
