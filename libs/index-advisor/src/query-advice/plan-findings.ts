import type { Catalog, Table } from '../catalog/catalog.js';
import type { EvidenceValue } from '../finding.js';
import { needsAnalyse } from '../removal/bloat.js';
import { allNodes, type MeasuredNode } from './measured-plan.js';

export type PlanFindingCode =
  | 'sequential-scan'
  | 'row-estimate'
  | 'sort-spill'
  | 'nested-loop-blow-up'
  | 'filter-after-index'
  | 'stale-statistics';

/** Something in a plan that costs time, and where. */
export interface PlanFinding {
  readonly code: PlanFindingCode;
  /** The node, from the root of the plan. */
  readonly path: string;
  readonly why: string;
  readonly evidence: Readonly<Record<string, EvidenceValue>>;
  /** What to do, for people. */
  readonly advice: string;
  /** A statement that does it, when one does. */
  readonly remedy: string | null;
}

/** Tables below this are read whole in no time. */
const LARGE_TABLE_ROWS = 10_000;
/** Of which a filter keeps at most this share: more is read best from end to end. */
const SELECTIVE = 0.1;
const ESTIMATE_FACTOR = 10;
const MIN_ESTIMATED_ROWS = 100;
/** Rows that a nested loop visits. */
const BLOW_UP_ROWS = 100_000;
const REMOVED_FACTOR = 10;
const MIN_REMOVED = 1000;
const DEFAULT_WORK_MEM = 4 * 2 ** 20;

/**
 * Looks for what makes a plan slow. A plan with figures of an execution (ANALYZE) shows all; of a
 * bare plan only those that follow from estimates.
 */
export function findInPlan(root: MeasuredNode, catalog: Catalog): readonly PlanFinding[] {
  const nodes = allNodes(root);
  return [
    ...nodes.flatMap((node) => sequentialScan(node, catalog) ?? []),
    ...estimates(nodes),
    ...nodes.flatMap((node) => spill(node, catalog) ?? []),
    ...nodes.flatMap((node) => nestedLoop(node) ?? []),
    ...nodes.flatMap((node) => filterAfterIndex(node) ?? []),
    ...staleTables(nodes, catalog),
  ];
}

function sequentialScan(node: MeasuredNode, catalog: Catalog): PlanFinding | undefined {
  if (node.type !== 'Seq Scan' || node.filter === undefined) return undefined;
  const table = tableOf(node, catalog);
  if (table === undefined || table.size.rows < LARGE_TABLE_ROWS) return undefined;
  const kept = node.actual?.rows ?? node.plannedRows;
  const read = node.actual === undefined ? table.size.rows : kept + removedOfOne(node);
  if (kept > read * SELECTIVE) return undefined;
  return {
    code: 'sequential-scan',
    path: node.path,
    why: `All ${rounded(read)} rows of ${table.name} are read for the ${rounded(kept)} that are kept.`,
    evidence: { rowsRead: rounded(read), rowsKept: rounded(kept), tableRows: table.size.rows },
    advice: 'An index on what the filter compares finds these rows: see the advice on indexes.',
    remedy: null,
  };
}

/** The lowest wrong estimate is told: those above follow from it. */
function estimates(nodes: readonly MeasuredNode[]): readonly PlanFinding[] {
  const wrong = nodes.filter((node) => wrongFactor(node) !== undefined);
  const lowest = wrong.filter(
    (node) => !node.children.some((child) => allNodes(child).some((each) => wrong.includes(each))),
  );
  return lowest.map((node) => {
    const factor = wrongFactor(node) ?? 1;
    const on = node.table === undefined ? undefined : nameOf(node.table);
    const actual = node.actual?.rows ?? 0;
    return {
      code: 'row-estimate',
      path: node.path,
      why:
        `${rounded(node.plannedRows)} rows were expected, ${rounded(actual)} came ` +
        `(${factor.toFixed(0)} times ${actual > node.plannedRows ? 'more' : 'fewer'}), so joins ` +
        'and memory are chosen for the wrong number.',
      evidence: {
        planned: rounded(node.plannedRows),
        actual: rounded(actual),
        factor: Math.round(factor),
      },
      advice:
        'Analyse the table. When that does not help, the columns depend on each other: ' +
        'CREATE STATISTICS on the columns of the condition tells the planner.',
      remedy: on === undefined ? null : `ANALYZE ${on}`,
    };
  });
}

function wrongFactor({ actual, plannedRows, raw }: MeasuredNode): number | undefined {
  // Below a limit fewer rows come than are there.
  if (actual === undefined || raw['Node Type'] === 'Limit') return undefined;
  const more = Math.max(actual.rows, plannedRows);
  const factor = more / Math.max(1, Math.min(actual.rows, plannedRows));
  const isLess = actual.rows < plannedRows;
  if (more < MIN_ESTIMATED_ROWS || factor < ESTIMATE_FACTOR) return undefined;
  return isLess && actual.loops > 1 ? undefined : factor;
}

function spill(node: MeasuredNode, { server }: Catalog): PlanFinding | undefined {
  const { raw } = node;
  const workMem = bytesOfSetting(server.settings.get('work_mem')) ?? DEFAULT_WORK_MEM;
  const isSort = node.type === 'Sort' || node.type === 'Incremental Sort';
  const disk =
    raw['Sort Space Type'] === 'Disk' ? raw['Sort Space Used'] : (raw['Disk Usage'] ?? undefined);
  const batches = raw['Hash Batches'] ?? 1;
  const expected = node.plannedRows * (node.width + 16);
  const isExpected = isSort && node.actual === undefined && expected > workMem;
  if ((disk ?? 0) === 0 && batches <= 1 && !isExpected) return undefined;
  const what = isSort ? 'The sort' : 'The hash table';
  const neededKb = Math.ceil(Math.max(expected, (disk ?? 0) * 1024 * 2.5) / 1024);
  return {
    code: 'sort-spill',
    path: node.path,
    why:
      `${what} does not fit into work_mem (${Math.round(workMem / 1024)} kB) and ` +
      `${isExpected ? 'will go' : 'went'} to disk.`,
    evidence: {
      workMemBytes: workMem,
      diskKilobytes: disk ?? null,
      batches,
      expectedBytes: Math.round(expected),
    },
    advice:
      'An index in this order needs no sort, and a limit needs little memory; else raise work_mem ' +
      'for this statement.',
    remedy: `SET LOCAL work_mem = '${Math.ceil(neededKb / 1024)}MB'`,
  };
}

function nestedLoop(node: MeasuredNode): PlanFinding | undefined {
  if (node.type !== 'Nested Loop') return undefined;
  const [outer, inner] = node.children;
  if (outer === undefined || inner === undefined) return undefined;
  // With an index on the inner side each loop finds its rows at once.
  const whole = allNodes(inner).find(
    ({ type }) => type === 'Seq Scan' || type === 'Materialize' || type === 'CTE Scan',
  );
  if (whole === undefined || allNodes(inner).some(({ index }) => index !== undefined))
    return undefined;
  const loops = inner.actual?.loops ?? outer.plannedRows;
  const each = (inner.actual?.rows ?? inner.plannedRows) + removedOfOne(whole);
  const visited = loops * each;
  if (loops < 2 || visited < BLOW_UP_ROWS) return undefined;
  return {
    code: 'nested-loop-blow-up',
    path: node.path,
    why: `${rounded(each)} rows are gone through ${rounded(loops)} times, ${rounded(visited)} in all.`,
    evidence: {
      loops: rounded(loops),
      rowsOfEach: rounded(each),
      rowsVisited: rounded(visited),
      expectedLoops: rounded(outer.plannedRows),
    },
    advice:
      'An index on what the inner side is joined by makes each loop short; a join by equality could ' +
      'be hashed; a wrong number of expected rows makes PostgreSQL choose loops.',
    remedy: null,
  };
}

function filterAfterIndex(node: MeasuredNode): PlanFinding | undefined {
  if (node.index === undefined || node.filter === undefined || node.actual === undefined) {
    return undefined;
  }
  const removed = node.actual.removedByFilter;
  const kept = node.actual.rows * node.actual.loops;
  if (removed < MIN_REMOVED || removed < kept * REMOVED_FACTOR) return undefined;
  return {
    code: 'filter-after-index',
    path: node.path,
    why:
      `The index ${node.index} finds ${rounded(removed + kept)} rows, of which the filter throws ` +
      `${rounded(removed)} away after they were read from the table.`,
    evidence: { index: node.index, rowsFound: rounded(removed + kept), rowsKept: rounded(kept) },
    advice: "An index whose keys have the filter's columns too reads only what is kept.",
    remedy: null,
  };
}

function staleTables(nodes: readonly MeasuredNode[], catalog: Catalog): readonly PlanFinding[] {
  const tables = new Set(nodes.flatMap((node) => tableOf(node, catalog) ?? []));
  return [...tables].flatMap((table) =>
    needsAnalyse(table).map(({ why, evidence, remedy }): PlanFinding => {
      const node = nodes.find((each) => tableOf(each, catalog) === table);
      return {
        code: 'stale-statistics',
        path: node?.path ?? '',
        why,
        evidence,
        advice: 'Analyse the table, and let autovacuum analyse it sooner.',
        remedy: remedy[0] ?? null,
      };
    }),
  );
}

function tableOf({ table }: MeasuredNode, { tables }: Catalog): Table | undefined {
  if (table === undefined) return undefined;
  return tables.find(
    ({ schema, name }) =>
      name === table.name && (table.schema === undefined || schema === table.schema),
  );
}

function nameOf({ schema, name }: { schema: string | undefined; name: string }): string {
  const quoted = (word: string) => `"${word.replaceAll('"', '""')}"`;
  return schema === undefined ? quoted(name) : `${quoted(schema)}.${quoted(name)}`;
}

function removedOfOne(node: MeasuredNode): number {
  return node.raw['Rows Removed by Filter'] ?? 0;
}

function bytesOfSetting(text: string | undefined): number | undefined {
  const [, number, unit = 'kB'] = /^(\d+)\s*(B|kB|MB|GB|TB)?$/.exec(text ?? '') ?? [];
  if (number === undefined) return undefined;
  return Number(number) * 1024 ** ['B', 'kB', 'MB', 'GB', 'TB'].indexOf(unit);
}

function rounded(rows: number): number {
  return Math.round(rows);
}
