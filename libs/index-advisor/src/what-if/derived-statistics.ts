import type { ColumnStatistics } from '../catalog/column-statistics.js';
import { Confidential } from '../catalog/confidential.js';

/** What an expression yields for one value that the statistics of its column hold. */
export interface Outcome {
  /** As text; null for NULL. */
  readonly value: string | null;
  /** Bytes as stored. */
  readonly bytes: number;
  /** Place among all outcomes when sorted. */
  readonly rank: number;
}

/** Outcomes of the most common values, in their order, of the histogram's bounds, and of NULL. */
export interface Outcomes {
  readonly common: readonly Outcome[];
  readonly bounds: readonly Outcome[];
  readonly ofNull: Outcome | undefined;
}

/** A value that comes from more than this many times the mean share is a common one. */
const COMMON_FACTOR = 1.25;
const MOST_COMMON_VALUES = 100;

/**
 * Statistics of an expression from those of its only column. The bounds of the histogram count as
 * a sample of the values that are not common; how many different outcomes there are beyond them is
 * estimated as ANALYZE does (Haas and Stokes 1998, "Duj1").
 */
export function derivedStatistics(
  column: ColumnStatistics,
  outcomes: Outcomes,
  rows: number,
): ColumnStatistics {
  const shares = sharesOf(column, outcomes);
  const nullFraction = Math.min(1, shares.get(null)?.share ?? 0);
  shares.delete(null);
  const values = [...shares.values()];
  const distinct = Math.min(rows, distinctOf(column, outcomes, values, rows));
  const mean = (1 - nullFraction) / Math.max(1, distinct);
  const common = values
    .filter(({ share, seen }) => seen > 1 && share > mean * COMMON_FACTOR)
    .toSorted((a, b) => b.share - a.share)
    .slice(0, MOST_COMMON_VALUES);
  // Few values that were all seen are all common, however even their shares are.
  const isAllSeen = distinct <= values.length && values.length <= MOST_COMMON_VALUES;
  const listed = isAllSeen ? values.toSorted((a, b) => b.share - a.share) : common;
  const rest = values.filter((value) => !listed.includes(value)).toSorted(byRank);
  return {
    nullFraction,
    averageWidth: Math.max(1, Math.round(meanBytes(values))),
    distinct: distinct > rows / 10 ? -distinct / Math.max(1, rows) : distinct,
    correlation: (column.correlation ?? 0) * agreement(outcomes.bounds),
    mostCommonFrequencies: listed.length === 0 ? undefined : listed.map(({ share }) => share),
    values: new Confidential({
      ...(listed.length === 0 ? {} : { mostCommonValues: arrayLiteral(listed) }),
      ...(rest.length < 2 ? {} : { histogramBounds: arrayLiteral(rest) }),
    }),
  };
}

interface Share {
  readonly value: string;
  readonly bytes: number;
  readonly rank: number;
  share: number;
  /** From how many values of the column it came; a common value counts as many. */
  seen: number;
}

function sharesOf(column: ColumnStatistics, { common, bounds, ofNull }: Outcomes) {
  const shares = new Map<string | null, Share>();
  const add = ({ value, bytes, rank }: Outcome, share: number, seen: number) => {
    const entry = shares.get(value) ?? { value: value ?? '', bytes, rank, share: 0, seen: 0 };
    entry.share += share;
    entry.seen += seen;
    shares.set(value, entry);
  };
  const frequencies = column.mostCommonFrequencies ?? [];
  for (const [position, outcome] of common.entries()) add(outcome, frequencies[position] ?? 0, 2);
  const commonShare = frequencies.reduce((sum, frequency) => sum + frequency, 0);
  const restShare = Math.max(0, 1 - column.nullFraction - commonShare);
  for (const outcome of bounds) add(outcome, restShare / bounds.length, 1);
  if (ofNull !== undefined && column.nullFraction > 0) add(ofNull, column.nullFraction, 2);
  return shares;
}

function distinctOf(
  column: ColumnStatistics,
  { common, bounds }: Outcomes,
  values: readonly Share[],
  rows: number,
): number {
  const ofColumn = column.distinct < 0 ? -column.distinct * rows : column.distinct;
  // All different values of the column, so a sample of those that it has.
  const sampled = [...common, ...bounds].filter(({ value }) => value !== null);
  const times = new Map<string | null, number>();
  for (const { value } of sampled) times.set(value, (times.get(value) ?? 0) + 1);
  const sample = sampled.length;
  const population = Math.max(sample, ofColumn);
  const once = [...times.values()].filter((count) => count === 1).length;
  const divisor = sample - once + (once * sample) / population;
  return Math.max(values.length, divisor === 0 ? 0 : (sample * times.size) / divisor);
}

/** How far the order of outcomes follows that of values, -1 to 1 (Spearman). */
function agreement(bounds: readonly Outcome[]): number {
  if (bounds.length < 2) return 0;
  const ranks = bounds.map(({ rank }) => rank);
  const mean = ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length;
  const middle = (ranks.length - 1) / 2;
  let product = 0;
  let ofRanks = 0;
  let ofPlaces = 0;
  for (const [place, rank] of ranks.entries()) {
    product += (place - middle) * (rank - mean);
    ofRanks += (rank - mean) ** 2;
    ofPlaces += (place - middle) ** 2;
  }
  return ofRanks === 0 ? 0 : product / Math.sqrt(ofRanks * ofPlaces);
}

function meanBytes(values: readonly Share[]): number {
  const total = values.reduce((sum, { share }) => sum + share, 0);
  return values.reduce((sum, { bytes, share }) => sum + bytes * share, 0) / (total || 1);
}

function byRank(a: Share, b: Share): number {
  return a.rank - b.rank;
}

function arrayLiteral(values: readonly Share[]): string {
  const quoted = values.map(
    ({ value }) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  );
  return `{${quoted.join(',')}}`;
}
