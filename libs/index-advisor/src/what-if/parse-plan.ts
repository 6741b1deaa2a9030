import type { CandidateIndex } from './candidate-index.js';
import { type Plan, type PlanNode, planNodes } from './plan.js';

/** A node as `EXPLAIN (FORMAT JSON)` writes it. */
export interface ExplainedNode {
  readonly 'Node Type': string;
  readonly 'Startup Cost': number;
  readonly 'Total Cost': number;
  readonly 'Plan Rows': number;
  readonly 'Plan Width': number;
  readonly Schema?: string;
  readonly 'Relation Name'?: string;
  readonly Alias?: string;
  readonly 'Index Name'?: string;
  readonly 'Join Type'?: string;
  readonly Strategy?: string;
  readonly 'Scan Direction'?: string;
  readonly 'Index Cond'?: string;
  readonly Filter?: string;
  readonly 'Sort Key'?: readonly string[];
  readonly 'Presorted Key'?: readonly string[];
  readonly Plans?: readonly ExplainedNode[];
}

/** A plan from EXPLAIN's JSON; `candidateOf` knows the candidates by the names of their indexes. */
export function parsePlan(
  explained: ExplainedNode,
  candidateOf: (index: string) => CandidateIndex | undefined = () => undefined,
): Plan {
  const root = parseNode(explained, candidateOf);
  const nodes = planNodes(root);
  const existing = nodes.filter(({ candidate }) => candidate === undefined);
  const names = existing.flatMap(({ index }) => (index === undefined ? [] : [index]));
  const candidates = nodes.flatMap(({ candidate }) => (candidate === undefined ? [] : [candidate]));
  return {
    totalCost: root.totalCost,
    startupCost: root.startupCost,
    rows: root.rows,
    root,
    usedIndexes: [...new Set(names)],
    usedCandidates: [...new Set(candidates)],
  };
}

function parseNode(
  node: ExplainedNode,
  candidateOf: (index: string) => CandidateIndex | undefined,
): PlanNode {
  const index = node['Index Name'];
  const optional = {
    relation: relationOf(node),
    alias: node.Alias,
    index,
    candidate: index === undefined ? undefined : candidateOf(index),
    joinType: node['Join Type'],
    strategy: node.Strategy,
    scanDirection: node['Scan Direction'],
    indexCondition: node['Index Cond'],
    filter: node.Filter,
    sortKey: node['Sort Key'],
    presortedKey: node['Presorted Key'],
  };
  const present = Object.entries(optional).filter(([, value]) => value !== undefined);
  return {
    nodeType: node['Node Type'],
    ...(Object.fromEntries(present) as Partial<PlanNode>),
    startupCost: node['Startup Cost'],
    totalCost: node['Total Cost'],
    rows: node['Plan Rows'],
    width: node['Plan Width'],
    children: (node.Plans ?? []).map((child) => parseNode(child, candidateOf)),
  };
}

function relationOf({ Schema: schema, 'Relation Name': name }: ExplainedNode) {
  return schema === undefined || name === undefined ? undefined : { schema, name };
}
