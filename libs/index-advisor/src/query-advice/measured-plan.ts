/** A node as `EXPLAIN (FORMAT JSON)` writes it, with what ANALYZE adds. */
export interface RawNode {
  readonly 'Node Type': string;
  readonly 'Plan Rows': number;
  readonly 'Plan Width': number;
  readonly 'Total Cost': number;
  readonly 'Relation Name'?: string;
  readonly Schema?: string;
  readonly 'Index Name'?: string;
  readonly Filter?: string;
  readonly 'Join Filter'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Parent Relationship'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Actual Total Time'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Join Filter'?: number;
  readonly 'Sort Method'?: string;
  readonly 'Sort Space Type'?: string;
  readonly 'Sort Space Used'?: number;
  readonly 'Sort Key'?: readonly string[];
  readonly 'Hash Batches'?: number;
  readonly 'Peak Memory Usage'?: number;
  readonly 'Disk Usage'?: number;
  readonly Plans?: readonly RawNode[];
}

/** A step of a plan, with where it stands and what it really did, if it was executed. */
export interface MeasuredNode {
  readonly type: string;
  /** From the root: `Limit > Sort > Seq Scan on orders`. */
  readonly path: string;
  readonly table: { readonly schema: string | undefined; readonly name: string } | undefined;
  readonly index: string | undefined;
  readonly filter: string | undefined;
  readonly plannedRows: number;
  readonly width: number;
  readonly cost: number;
  /** Undefined when the plan was not executed. */
  readonly actual: ActualFigures | undefined;
  readonly raw: RawNode;
  readonly children: readonly MeasuredNode[];
}

export interface ActualFigures {
  /** Of one loop. */
  readonly rows: number;
  readonly loops: number;
  /** Of all loops. */
  readonly totalMs: number;
  /** Of all loops. */
  readonly removedByFilter: number;
}

/** The nodes of a plan from EXPLAIN's JSON. */
export function measuredPlan(raw: RawNode, above = ''): MeasuredNode {
  const name = raw['Relation Name'];
  const label = name === undefined ? raw['Node Type'] : `${raw['Node Type']} on ${name}`;
  const path = above === '' ? label : `${above} > ${label}`;
  return {
    type: raw['Node Type'],
    path,
    table: name === undefined ? undefined : { schema: raw.Schema, name },
    index: raw['Index Name'],
    filter: raw.Filter,
    plannedRows: raw['Plan Rows'],
    width: raw['Plan Width'],
    cost: raw['Total Cost'],
    actual: actualOf(raw),
    raw,
    children: (raw.Plans ?? []).map((child) => measuredPlan(child, path)),
  };
}

/** Every node, parents before their children. */
export function allNodes(root: MeasuredNode): readonly MeasuredNode[] {
  return [root, ...root.children.flatMap((child) => allNodes(child))];
}

function actualOf(raw: RawNode): ActualFigures | undefined {
  const loops = raw['Actual Loops'];
  if (loops === undefined || loops === 0) return undefined;
  return {
    rows: raw['Actual Rows'] ?? 0,
    loops,
    totalMs: (raw['Actual Total Time'] ?? 0) * loops,
    removedByFilter: (raw['Rows Removed by Filter'] ?? 0) * loops,
  };
}
