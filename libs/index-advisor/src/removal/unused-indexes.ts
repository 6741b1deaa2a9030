import type { Catalog } from '../catalog/catalog.js';
import type { Finding, FindingReport } from '../finding.js';
import {
  bytesOf,
  dropStatement,
  foreignKeysServed,
  leavesOf,
  type PlacedIndex,
  scansOf,
  shownName,
  topIndexes,
  whatNeeds,
} from './index-facts.js';
import { daysCounted, type UsageAge } from './usage-age.js';

/** What counts as enough evidence that nobody reads an index. */
export interface UnusedLimits {
  /** Counters must be this old; default 14 days, so that what runs weekly has run. */
  readonly minDays?: number;
  /** Smaller ones cost little, and may be read when their table grows; default 256 KiB. */
  readonly minUnusedBytes?: number;
}

/**
 * Indexes that were not read once since the counters began, although their tables are. Left out is
 * what a constraint, a foreign key, logical replication or a partitioned index needs.
 */
export function findUnused(
  catalog: Catalog,
  age: UsageAge,
  { minDays = 14, minUnusedBytes = 2 ** 18 }: UnusedLimits = {},
): FindingReport {
  const unread = topIndexes(catalog)
    .filter(({ index }) => bytesOf(index, catalog) >= minUnusedBytes)
    .filter((placed) => isUnread(placed, catalog));
  if (unread.length === 0) return { findings: [], notes: [] };
  const days = daysCounted(age);
  if (days === undefined || days < minDays) {
    const known = days === undefined ? 'an unknown time' : `${days.toFixed(1)} days`;
    const note =
      `${unread.length} indexes were not read so far, but the counters cover only ${known}; ` +
      `after ${minDays} days it can be said that they are unused.`;
    return { findings: [], notes: [note] };
  }
  return { findings: unread.map((placed) => findingOf(placed, catalog, age, days)), notes: [] };
}

function isUnread(placed: PlacedIndex, catalog: Catalog): boolean {
  const { index, table } = placed;
  if (!index.isValid || scansOf(index, catalog) > 0) return false;
  if (whatNeeds(placed, catalog).length > 0 || foreignKeysServed(placed).length > 0) return false;
  // Of a table that nobody reads, nothing can be said about its indexes.
  return leavesOf(table, catalog).some(
    ({ activity }) => activity.indexScans + activity.sequentialScans > 0,
  );
}

function findingOf(placed: PlacedIndex, catalog: Catalog, age: UsageAge, days: number): Finding {
  const { index, table } = placed;
  const elsewhere =
    age.replicas === 0
      ? ''
      : ` ${age.replicas} other servers replicate this one and count their own reads: look there first.`;
  const tables = leavesOf(table, catalog);
  const sum = (count: (of: (typeof tables)[number]['activity']) => number) =>
    tables.reduce((total, { activity }) => total + count(activity), 0);
  return {
    code: 'unused-index',
    object: shownName(index),
    why:
      `Nothing read ${index.name} in ${days.toFixed(0)} days, and no constraint, foreign key or ` +
      `replication needs it; every write to ${table.name} maintains it.${elsewhere}`,
    evidence: {
      definition: index.definition,
      scans: 0,
      days: Math.round(days * 10) / 10,
      bytes: bytesOf(index, catalog),
      tableReads: sum(({ indexScans, sequentialScans }) => indexScans + sequentialScans),
      tableWrites: sum(({ inserts, updates, deletes }) => inserts + updates + deletes),
      replicas: age.replicas,
    },
    remedy: [dropStatement(placed)],
    confidence: age.replicas === 0 ? 'certain' : 'check',
  };
}
