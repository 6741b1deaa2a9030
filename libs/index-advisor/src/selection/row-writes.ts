import type { Catalog, Table } from '../catalog/catalog.js';
import { leavesOf } from '../what-if/candidate-copies.js';
import type { StatementFacts } from '../candidates/analyse-statement.js';
import type { Workload } from '../workload/workload.js';

/** Rows of a table that are written over the period of a workload. */
export interface RowWrites {
  readonly inserts: number;
  readonly deletes: number;
  readonly updates: readonly RowUpdates[];
}

/** Updates that set the same columns; none when the statement is not known. */
export interface RowUpdates {
  readonly columns: readonly string[];
  readonly rows: number;
}

const DAY_MS = 86_400_000;

/**
 * Rows that are written, by table: as the statements of the workload tell, and as the server's
 * counters do where they tell more, such as of writes by triggers or COPY.
 */
export function rowWrites(
  catalog: Catalog,
  workload: Workload,
  facts: ReadonlyMap<string, StatementFacts>,
  now: Date,
): ReadonlyMap<Table, RowWrites> {
  const byTable = new Map<Table, { inserts: number; deletes: number; updates: RowUpdates[] }>();
  for (const { fingerprint, rows } of workload.statements) {
    const writes = facts.get(fingerprint)?.writes ?? [];
    for (const { table, kind, columns } of writes) {
      const sum = byTable.get(table) ?? { inserts: 0, deletes: 0, updates: [] };
      byTable.set(table, sum);
      // Which of its parts wrote how many rows, a statement does not tell.
      const share = rows / writes.length;
      if (kind === 'insert') sum.inserts += share;
      else if (kind === 'delete') sum.deletes += share;
      else sum.updates.push({ columns, rows: share });
    }
  }
  const scale = counterScale(catalog, workload, now);
  return new Map(
    catalog.tables.map((table) => {
      const known = byTable.get(table) ?? { inserts: 0, deletes: 0, updates: [] };
      return [table, scale === undefined ? known : withCounters(known, catalog, table, scale)];
    }),
  );
}

function counterScale({ server }: Catalog, { days }: Workload, now: Date): number | undefined {
  if (days === undefined || server.countersSince === undefined) return undefined;
  const counted = (now.getTime() - server.countersSince.getTime()) / DAY_MS;
  // Counters that were just reset say nothing.
  return counted < 1 / 24 ? undefined : Math.min(1, days / counted);
}

function withCounters(known: RowWrites, catalog: Catalog, table: Table, scale: number): RowWrites {
  const counted = (name: 'inserts' | 'updates' | 'deletes') =>
    leavesOf(catalog, table).reduce((sum, { activity }) => sum + activity[name], 0) * scale;
  const updated = known.updates.reduce((sum, { rows }) => sum + rows, 0);
  const others = counted('updates') - updated;
  return {
    inserts: Math.max(known.inserts, counted('inserts')),
    deletes: Math.max(known.deletes, counted('deletes')),
    updates: others > 0 ? [...known.updates, { columns: [], rows: others }] : known.updates,
  };
}

/** The share of a table's updates that touch no index (HOT); undefined when none is counted. */
export function hotShare(catalog: Catalog, table: Table): number | undefined {
  const leaves = leavesOf(catalog, table);
  const updates = leaves.reduce((sum, { activity }) => sum + activity.updates, 0);
  const hot = leaves.reduce((sum, { activity }) => sum + activity.hotUpdates, 0);
  return updates === 0 ? undefined : hot / updates;
}
