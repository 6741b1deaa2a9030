import { facetsOfWhere } from '../ranking/facets.js';
import type { Seed } from '../ranking/search-query.js';
import type { TermStatistics } from '../ranking/term-statistics.js';
import { textCondition } from '../ranking/text-condition.js';
import { quoted } from '../ranking/tokenizer.js';
import type { CandidateSearch } from './candidates.queries.js';
import { isGiven, type SourceRead } from './source-reads.js';
import { sourceTag } from './source-tag.js';

/** Estimates may be too low by so much before candidates are cut off. */
const SLACK = 5;
/** What is common in a large source may be rare in a small one, so they are searched apart. */
const SMALL_SOURCE_ENTRIES = 2000;
/**
 * The tags of sources cost a third of a search where those sources hold most entries anyway, and
 * save it from walking through other people's entries where they do not.
 */
const TAGGED_BELOW_SHARE = 0.5;

/**
 * The searches that find candidates in some sources: one for all small sources, one for all
 * large ones, and one for each that has conditions of its own.
 */
export function planSearches(
  reads: readonly SourceRead[],
  seeds: readonly Seed[],
  statistics: TermStatistics,
  candidateLimit: number,
): CandidateSearch[] {
  const shareOf = ({ sourceId }: SourceRead): number =>
    statistics.entries === 0 ? 0 : statistics.shareOf(sourceTag(sourceId));
  const isSmall = (read: SourceRead): boolean =>
    shareOf(read) * statistics.entries < SMALL_SOURCE_ENTRIES;
  const plain = reads.filter(({ where }) => !isGiven(where));
  const groups = [
    plain.filter(isSmall),
    plain.filter((read) => !isSmall(read)),
    ...reads.filter(({ where }) => isGiven(where)).map((read) => [read]),
  ];
  return groups.flatMap((group) => {
    const where = group[0]?.where;
    const facets = facetsOfWhere(where);
    const sourceShare = group.reduce((sum, read) => sum + shareOf(read), 0);
    const share = facets.reduce(
      (product, facet) => product * statistics.shareOf(facet),
      sourceShare,
    );
    const words = textCondition(seeds, statistics, {
      entries: Math.max(1, share * statistics.entries),
      matches: candidateLimit,
    });
    if (words === undefined || group.length === 0) return [];
    const tags = group.map(({ sourceId }) => quoted(sourceTag(sourceId))).join(' | ');
    const conditions = [
      ...(isGiven(where) || sourceShare < TAGGED_BELOW_SHARE ? [`(${tags})`] : []),
      ...facets.map(quoted),
      `(${words})`,
    ];
    return {
      sourceIds: group.map(({ sourceId }) => sourceId),
      condition: conditions.join(' & '),
      limit: Math.ceil(candidateLimit * SLACK),
      // Where facets say it all, the entry is checked when it is read; else before the limit.
      where: facets.length === Object.keys(where ?? {}).length ? undefined : where,
    };
  });
}
