import type { EntrySort } from '../port/dual-store-manager.js';
import type { StoreEntry } from '../port/store-entry.js';
import { facetsOfWhere } from '../ranking/facets.js';
import type { TermStatistics } from '../ranking/term-statistics.js';
import { quoted } from '../ranking/tokenizer.js';
import type { Queryable } from './database.js';
import {
  anHourBefore,
  COLUMNS,
  isGiven,
  MATCHES,
  NOT_BEFORE,
  readValues,
  READS,
  RECENT_ACCESSES,
  SHOWN,
  type SourceRead,
  type StoreRow,
  toStoreEntry,
} from './source-reads.js';
import { sourceTag } from './source-tag.js';

/** Entries walked through in the order of time to find enough that meet the conditions. */
const MAX_WALKED = 3000;

/*
 * Without conditions the latest entries are the first of an index. With conditions that many
 * entries meet they are among the first, and walking along the index is quickest. What few
 * entries meet is found through their facets in the full-text index; entries which that does not
 * have yet are looked at one by one.
 */
type Way = 'first' | 'walk' | 'facets';

const ENTRIES: Readonly<Record<Way, string>> = {
  first: `context_entry e WHERE e.source_id = r.source_id`,
  walk: `context_entry e WHERE e.source_id = r.source_id AND ${MATCHES}`,
  facets: `(
      SELECT i.entry_id FROM entry_index i
      WHERE i.terms @@ ($7::text[])[r.read::int]::tsquery AND i.source_id = r.source_id
      UNION ALL
      SELECT i.entry_id FROM entry_index i
      WHERE i.state <> 'written' AND i.terms IS NULL AND i.source_id = r.source_id
    ) found JOIN context_entry e ON e.id = found.entry_id WHERE ${MATCHES}`,
};

function recentsSql(way: Way, sort: EntrySort): string {
  const direction = sort === 'newest' ? 'DESC' : 'ASC';
  const order = (time: string): string => `${time} ${direction}, e.id ${direction}`;
  return `
    WITH picked AS MATERIALIZED (
      SELECT r.read, e.*
      FROM ${READS}
      CROSS JOIN LATERAL (
        SELECT ${COLUMNS} FROM ${ENTRIES[way]} AND ${NOT_BEFORE} AND ${SHOWN}
        ORDER BY ${order('e.occurred_at')} LIMIT r."limit"
      ) e
    )
    SELECT e.*, i.embedding AS features, i.dense, accesses.accesses AS "recentAccesses"
    FROM picked e
    LEFT JOIN entry_index i ON i.entry_id = e.id
    LEFT JOIN ${RECENT_ACCESSES} ON accesses.entry_id = e.id
    ORDER BY e.read, ${order('e."occurredAt"')}`;
}

/** The latest (or earliest) entries of each source, in the order of the reads. */
export async function findRecents(
  database: Queryable,
  reads: readonly SourceRead[],
  statistics: TermStatistics,
  now: Date,
  sort: EntrySort = 'newest',
): Promise<StoreEntry[][]> {
  const found: StoreEntry[][] = reads.map(() => []);
  const placesByWay = new Map<Way, number[]>();
  for (const [place, read] of reads.entries()) {
    const way = wayOf(read, statistics);
    placesByWay.set(way, [...(placesByWay.get(way) ?? []), place]);
  }
  for (const [way, places] of placesByWay) {
    const chosen = places.flatMap((place) => reads[place] ?? []);
    const rows = await database.query<StoreRow>(recentsSql(way, sort), [
      ...readValues(chosen),
      anHourBefore(now),
      ...(way === 'facets' ? [chosen.map(facetCondition)] : []),
    ]);
    for (const row of rows) {
      found[places[Number(row.read) - 1] ?? -1]?.push(toStoreEntry(row, row.features));
    }
  }
  return found;
}

function wayOf({ where, limit }: SourceRead, statistics: TermStatistics): Way {
  if (!isGiven(where)) return 'first';
  const facets = facetsOfWhere(where);
  const share = facets.reduce((product, facet) => product * statistics.shareOf(facet), 1);
  return facets.length === 0 || limit / share <= MAX_WALKED ? 'walk' : 'facets';
}

function facetCondition({ sourceId, where }: SourceRead): string {
  return [sourceTag(sourceId), ...facetsOfWhere(where)].map(quoted).join(' & ');
}
