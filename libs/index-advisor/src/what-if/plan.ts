import type { CandidateIndex } from './candidate-index.js';

/** What the planner chose for a statement, and what it thinks it costs. */
export interface Plan {
  /** In the planner's unit: one page read in order is `seq_page_cost`. */
  readonly totalCost: number;
  readonly startupCost: number;
  /** Rows that the planner expects. */
  readonly rows: number;
  readonly root: PlanNode;
  /** Existing indexes that the plan reads, by name, each once. */
  readonly usedIndexes: readonly string[];
  /** Of the candidates given, those that the plan reads. */
  readonly usedCandidates: readonly CandidateIndex[];
}

/** One step of a plan. */
export interface PlanNode {
  /** As in EXPLAIN: `Index Scan`, `Hash Join`, … */
  readonly nodeType: string;
  readonly relation?: { readonly schema: string; readonly name: string };
  readonly alias?: string;
  /** The name of the index; of a candidate, the name it has in the copy. */
  readonly index?: string;
  readonly candidate?: CandidateIndex;
  readonly joinType?: string;
  readonly strategy?: string;
  readonly scanDirection?: string;
  readonly indexCondition?: string;
  readonly filter?: string;
  readonly sortKey?: readonly string[];
  readonly presortedKey?: readonly string[];
  readonly startupCost: number;
  readonly totalCost: number;
  readonly rows: number;
  readonly width: number;
  readonly children: readonly PlanNode[];
}

/** Every node of a plan, parents before their children. */
export function planNodes(root: PlanNode): readonly PlanNode[] {
  return [root, ...root.children.flatMap((child) => planNodes(child))];
}
