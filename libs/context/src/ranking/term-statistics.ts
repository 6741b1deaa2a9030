/** How common terms are, as far as it is known. */
export interface TermStatistics {
  /** Entries in all. */
  readonly entries: number;
  /** Share of the entries that hold a term, above 0 to 1; an upper bound for rare ones. */
  shareOf(term: string): number;
}

/** Inverse document frequency: how much a term tells. At least ln 2, for one that all hold. */
export function idfOf(statistics: TermStatistics, term: string): number {
  return Math.log(1 + 1 / statistics.shareOf(term));
}

/** What is assumed before anything is known: every term is as telling as the others. */
export const NO_STATISTICS: TermStatistics = { entries: 0, shareOf: () => 0.01 };
