import type { Seed } from '../ranking/search-query.js';
import type { TermStatistics } from '../ranking/term-statistics.js';
import { lexeme, textCondition } from '../ranking/text-condition.js';
import { type CandidateSearch, isGiven, type SourceRead } from './search.queries.js';
import { sourceTag } from './source-tag.js';

/** Estimates may be too low by so much before candidates are cut off. */
const SLACK = 3;
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
  const sized = reads.map((read) => ({
    ...read,
    share: statistics.entries === 0 ? 0 : statistics.shareOf(sourceTag(read.sourceId)),
  }));
  const isSmall = ({ share }: { share: number }): boolean =>
    share * statistics.entries < SMALL_SOURCE_ENTRIES;
  const plain = sized.filter(({ where }) => !isGiven(where));
  const groups = [
    plain.filter(isSmall),
    plain.filter((read) => !isSmall(read)),
    ...sized.filter(({ where }) => isGiven(where)).map((read) => [read]),
  ];
  return groups.flatMap((group) => {
    const share = group.reduce((sum, read) => sum + read.share, 0);
    const condition = textCondition(seeds, statistics, {
      entries: Math.max(1, share * statistics.entries),
      matches: candidateLimit,
    });
    if (condition === undefined || group.length === 0) return [];
    const where = group[0]?.where;
    const isTagged = isGiven(where) || share < TAGGED_BELOW_SHARE;
    const tags = group.map(({ sourceId }) => lexeme(sourceTag(sourceId))).join(' | ');
    return {
      sourceIds: group.map(({ sourceId }) => sourceId),
      condition: isTagged ? `(${tags}) & (${condition})` : condition,
      limit: Math.ceil(candidateLimit * SLACK),
      where,
    };
  });
}
