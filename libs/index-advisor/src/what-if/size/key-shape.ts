import type { Column } from '../../catalog/catalog.js';
import type { ColumnStatistics } from '../../catalog/column-statistics.js';
import { arrayElements } from './array-literal.js';

/** Values of a key that are about equally frequent, as a share of the rows. */
export interface ValueClass {
  /** Share of the rows whose key is one of these values. */
  readonly share: number;
  /** How many different values. */
  readonly values: number;
  /** Bytes that values take, evenly sampled; empty for NULL. */
  readonly widths: readonly number[];
}

/** What the size of an index depends on, of one of its columns. */
export interface KeyShape {
  readonly classes: readonly ValueClass[];
  /** Distinct values. */
  readonly distinct: number;
  /** Whether equal values stand together in the table, as if written together. */
  readonly isClustered: boolean;
  /** Bytes to which fixed-size values are aligned; 1 for short values of varying length. */
  readonly alignment: number;
  readonly isVarying: boolean;
  /** Whether a B-tree may keep equal keys once; not where equal values can look different. */
  readonly isDeduplicable: boolean;
}

const ALIGNMENT: Readonly<Record<string, number>> = { c: 1, s: 2, i: 4, d: 8 };
/** Types whose values may be equal and differ in bytes, and types of such values. */
const NOT_DEDUPLICABLE =
  /^(numeric|float4|float8|interval|jsonb|record|tsvector|bpchar_ci|citext|_.*|.*range)$/;
/** Types whose text is what they store, after the header. */
const TEXTUAL = new Set(['text', 'varchar', 'bpchar', 'citext']);
/** PostgreSQL's own guess where it knows nothing. */
const DEFAULT_DISTINCT = 200;
const DEFAULT_WIDTH = 32;
const CLUSTERED_FROM = 0.9;
/** Frequencies within this factor count as one class. */
const CLASS_FACTOR = 1.5;

type TypeFacts = Pick<Column, 'baseType' | 'typeBytes' | 'alignment'>;

/** The shape of a key from its type and statistics, in a table of `rows`. */
export function keyShape(
  type: TypeFacts,
  statistics: ColumnStatistics | undefined,
  rows: number,
): KeyShape {
  const isVarying = type.typeBytes < 0;
  const distinct = distinctOf(statistics, rows);
  return {
    classes: classesOf(type, statistics, distinct),
    distinct,
    isClustered: Math.abs(statistics?.correlation ?? 0) > CLUSTERED_FROM,
    alignment: ALIGNMENT[type.alignment] ?? 4,
    isVarying,
    isDeduplicable: !NOT_DEDUPLICABLE.test(type.baseType),
  };
}

function distinctOf(statistics: ColumnStatistics | undefined, rows: number): number {
  const known = statistics?.distinct ?? 0;
  if (known === 0) return Math.min(rows, DEFAULT_DISTINCT);
  return Math.max(1, known < 0 ? -known * rows : known);
}

function classesOf(
  type: TypeFacts,
  statistics: ColumnStatistics | undefined,
  distinct: number,
): readonly ValueClass[] {
  const { mostCommonValues, histogramBounds } = statistics?.values.reveal() ?? {};
  const frequencies = statistics?.mostCommonFrequencies ?? [];
  const nullShare = statistics?.nullFraction ?? 0;
  const commonShare = frequencies.reduce((sum, frequency) => sum + frequency, 0);
  const restShare = Math.max(0, 1 - nullShare - commonShare);
  const average = statistics?.averageWidth ?? DEFAULT_WIDTH;
  const common = commonClasses(frequencies, widthsOf(type, mostCommonValues, average));
  const restValues = distinct - frequencies.length;
  // Where every value is common, what is left over is an error of the sample.
  const hasRest = restValues >= 0.5 || common.length === 0;
  const rest = { share: restShare, values: Math.max(1, restValues) };
  return [
    ...(nullShare > 0 ? [{ share: nullShare, values: 1, widths: [] }] : []),
    ...common,
    ...(hasRest && restShare > 0
      ? [{ ...rest, widths: widthsOf(type, histogramBounds, average) }]
      : []),
  ];
}

function commonClasses(
  frequencies: readonly number[],
  widths: readonly number[],
): readonly ValueClass[] {
  const classes: { share: number; values: number; widths: number[]; most: number }[] = [];
  for (const [position, frequency] of frequencies.entries()) {
    const width = widths[position % widths.length] ?? DEFAULT_WIDTH;
    const current = classes.at(-1);
    if (current === undefined || frequency * CLASS_FACTOR < current.most) {
      classes.push({ share: frequency, values: 1, widths: [width], most: frequency });
    } else {
      current.share += frequency;
      current.values += 1;
      current.widths.push(width);
    }
  }
  return classes;
}

/** Bytes of the values in an array literal where text tells them, else of a value of the mean. */
function widthsOf(
  { baseType, typeBytes }: TypeFacts,
  literal: string | undefined,
  average: number,
): readonly number[] {
  if (typeBytes > 0) return [typeBytes];
  if (literal === undefined || !TEXTUAL.has(baseType)) return [average];
  const elements = arrayElements(literal).filter((element) => element !== null);
  return elements.map((element) => {
    const bytes = Buffer.byteLength(element);
    return bytes <= 126 ? bytes + 1 : bytes + 4;
  });
}
