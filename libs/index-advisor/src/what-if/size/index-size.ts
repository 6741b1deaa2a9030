import type { Column, Table } from '../../catalog/catalog.js';
import type { ColumnStatistics, StatisticsValues } from '../../catalog/column-statistics.js';
import type { CandidateIndex, CandidateKey } from '../candidate-index.js';
import type { GinCounts } from '../index-pages.js';
import { arrayElements } from './array-literal.js';
import { btreeSize, heightOfPages } from './btree-size.js';
import { type KeyShape, keyShape } from './key-shape.js';
import { brinPages, ginCounts, ginPages, hashPages, searchTreePages } from './other-sizes.js';

/** What is known of an index beside the table's statistics. */
export interface IndexFacts {
  /** Rows that a partial index has; all unless told. */
  readonly rows?: number;
  /** Pages of an index that exists, which decide its height. */
  readonly pages?: number;
  /** Of keys that are expressions, by their text. */
  readonly expressions?: ReadonlyMap<string, ExpressionFacts>;
}

/** What an expression yields. */
export interface ExpressionFacts {
  readonly type: Pick<Column, 'baseType' | 'typeBytes' | 'alignment'>;
  readonly statistics: ColumnStatistics | undefined;
}

/** How large an index would be, and what its first page would say. */
export interface IndexSize {
  readonly pages: number;
  readonly rows: number;
  /** Of a B-tree: levels above the leaves. */
  readonly height?: number;
  readonly gin?: GinCounts;
}

/** What an expression counts as while nothing is known of it. */
const UNKNOWN_TYPE: ExpressionFacts['type'] = { baseType: 'text', typeBytes: -1, alignment: 'i' };

/** The size that a candidate would have on this table, if it were built now. */
export function indexSize(
  candidate: Omit<CandidateIndex, 'schema' | 'table'>,
  table: Pick<Table, 'columns' | 'size' | 'extendedStatistics'>,
  facts: IndexFacts = {},
): IndexSize {
  const tableRows = Math.max(0, table.size.rows);
  const rows = Math.min(tableRows, facts.rows ?? tableRows);
  // Where the predicate only leaves NULL out, the other values are as they are in the table.
  const isPresent = candidate.keys.some((key) => isNotNull(candidate.where, key));
  const keys = candidate.keys.map((key) => {
    const shape = shapeOfKey(key, table, facts);
    return isNotNull(candidate.where, key) ? withoutNulls(shape) : shape;
  });
  switch (candidate.method) {
    case 'btree': {
      const include = (candidate.include ?? []).map((column) =>
        shapeOfKey({ column }, table, facts),
      );
      const distinct = knownDistinct(candidate.keys, table);
      const known = distinct === undefined ? {} : { distinct };
      const shape = { rows, tableRows: isPresent ? rows : tableRows, keys, include, ...known };
      if (facts.pages === undefined) return { rows, ...btreeSize(shape) };
      return { rows, pages: facts.pages, height: heightOfPages(shape, facts.pages) };
    }
    case 'hash':
      return { rows, pages: hashPages(rows) };
    case 'brin':
      return { rows, pages: brinPages(table.size.pages, keys) };
    case 'gin':
      return ginSize(candidate, table, rows);
    case 'gist':
    case 'spgist':
      return { rows, pages: searchTreePages(rows, keys) };
  }
}

function shapeOfKey(
  key: Pick<CandidateKey, 'column' | 'expression'>,
  { columns, size }: Pick<Table, 'columns' | 'size'>,
  { expressions }: IndexFacts,
): KeyShape {
  if (key.expression !== undefined) {
    const known = expressions?.get(key.expression);
    // Until more is known, an expression of one column is about like the column.
    const column = columns.find(({ name }) => key.expression?.includes(name));
    const guess = { type: UNKNOWN_TYPE, statistics: statisticsOf(column) };
    const { type, statistics } = known ?? guess;
    return keyShape(type, statistics, size.rows);
  }
  const column = columns.find(({ name }) => name === key.column);
  return keyShape(column ?? UNKNOWN_TYPE, statisticsOf(column), size.rows);
}

function statisticsOf(column: Column | undefined): ColumnStatistics | undefined {
  return column?.statistics ?? column?.inheritedStatistics;
}

/** Whether the predicate of a partial index leaves NULL out of this key. */
function isNotNull(where: string | undefined, { column }: CandidateKey): boolean {
  if (where === undefined || column === undefined) return false;
  const bare = where.replaceAll(/[()"]/g, '').trim().toLowerCase();
  return bare === `${column.toLowerCase()} is not null`;
}

function withoutNulls(shape: KeyShape): KeyShape {
  const classes = shape.classes.filter(({ widths }) => widths.length > 0);
  const total = classes.reduce((sum, { share }) => sum + share, 0);
  return {
    ...shape,
    classes: classes.map(({ share, values, widths }) => ({ share: share / total, values, widths })),
  };
}

/** Distinct combinations of the keys, when a statistics object counts just these columns. */
function knownDistinct(
  keys: readonly CandidateKey[],
  { columns, extendedStatistics }: Pick<Table, 'columns' | 'extendedStatistics'>,
): number | undefined {
  const names = new Set(keys.map(({ column }) => column));
  const inOrder = columns.map(({ name }) => name).filter((name) => names.has(name));
  if (inOrder.length < 2 || inOrder.length !== keys.length) return undefined;
  const known = extendedStatistics.map(({ distinct }) => distinct.get(JSON.stringify(inOrder)));
  return known.find((count) => count !== undefined);
}

/** Words of a text, entries of a document: what one value is taken for when nothing tells. */
const GUESSED_ENTRY_BYTES = 12;

function ginSize(
  { keys }: Pick<CandidateIndex, 'keys'>,
  { columns, size }: Pick<Table, 'columns' | 'size'>,
  rows: number,
): IndexSize {
  const column = columns.find(({ name }) => name === keys[0]?.column);
  const statistics = statisticsOf(column);
  const { mostCommonElements } = statistics?.values.reveal() ?? {};
  const average = statistics?.averageWidth ?? 100;
  const elements = mostCommonElements === undefined ? [] : arrayElements(mostCommonElements);
  const isKnown = elements.length > 0;
  const counts = isKnown
    ? countsOfElements(elements, average, statistics?.values.reveal() ?? {})
    : {
        entriesPerValue: Math.max(1, average / GUESSED_ENTRY_BYTES),
        distinct: Math.sqrt(rows) * 10,
      };
  const gin = ginCounts({
    rows,
    tablePages: size.pages,
    entriesPerValue: counts.entriesPerValue,
    distinctEntries: counts.distinct,
    entryBytes: isKnown ? meanBytes(elements) : GUESSED_ENTRY_BYTES,
  });
  // PostgreSQL guesses itself where nothing is known.
  return { rows, pages: ginPages(gin), ...(isKnown ? { gin } : {}) };
}

/** Of a word in a tsvector: where it stands, how often, and one position. */
const BYTES_BESIDE_WORD = 8;

/** How many elements a value has, and how many different ones there are. */
function countsOfElements(
  elements: readonly (string | null)[],
  averageWidth: number,
  { elementCountHistogram, mostCommonElementFrequencies }: StatisticsValues,
): { readonly entriesPerValue: number; readonly distinct: number } {
  if (elementCountHistogram !== undefined) {
    // Of arrays; the last number of that histogram is the mean.
    const mean = Number(elementCountHistogram.slice(1, -1).split(',').at(-1));
    return { entriesPerValue: mean, distinct: elements.length };
  }
  // Of texts only the frequent words are counted, behind which stands the least frequency. The
  // width of a value tells how many words it has in all.
  const frequencies = arrayElements(mostCommonElementFrequencies ?? '{}').map(Number);
  const common = frequencies.slice(0, elements.length).reduce((sum, share) => sum + share, 0);
  const least = frequencies[elements.length] ?? 0;
  const byWidth = averageWidth / (meanBytes(elements) + BYTES_BESIDE_WORD);
  const rare = Math.max(0, byWidth - common);
  const distinct = elements.length + (least > 0 ? rare / (least / 2) : 0);
  return { entriesPerValue: Math.max(common, byWidth), distinct };
}

function meanBytes(elements: readonly (string | null)[]): number {
  const bytes = elements.reduce((sum, element) => sum + Buffer.byteLength(element ?? '') + 1, 0);
  return bytes / Math.max(1, elements.length);
}
