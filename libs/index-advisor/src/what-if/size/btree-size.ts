import { equalGroupSizes, groupSizes, rateOfDistinct } from './group-sizes.js';
import type { KeyShape, ValueClass } from './key-shape.js';
import { LeafFiller } from './leaf-filler.js';
import { tupleBytes, type TupleValue } from './tuple-bytes.js';

/** What a B-tree is built of. */
export interface BtreeShape {
  /** Rows that the index has; of a partial one those that fit its predicate. */
  readonly rows: number;
  /** Rows of the table, which the shares of the keys' values refer to. */
  readonly tableRows: number;
  readonly keys: readonly KeyShape[];
  /** Columns that are only stored. */
  readonly include?: readonly KeyShape[];
  readonly isUnique?: boolean;
  /** Storage options; 90 and true unless told. */
  readonly fillPercent?: number;
  readonly deduplicates?: boolean;
  /** Known distinct combinations of all keys. */
  readonly distinct?: number;
}

export interface BtreeSize {
  readonly pages: number;
  /** Levels above the leaves. */
  readonly height: number;
}

/** Pages that are filled to know how the rest will be. */
const SAMPLED_PAGES = 48;
const NEGLIGIBLE_SHARE = 0.0005;
const WIDTH_SAMPLES = 16;
/** Rows that ANALYZE looks at, with the default statistics target. */
const SAMPLED_ROWS = 30_000;
/** Parts by which inner pages are left free, and what of a page they have for links. */
const INNER_SPACE = 8192 - 24 - 16 - 4 - Math.floor((8192 * 30) / 100);
const LINE_POINTER_BYTES = 4;
const TID_BYTES = 8;
/** With fewer keys on a leaf than this, leaves often begin amid the rows of one key. */
const KEYS_OF_SPLIT_LEAVES = 50;

/**
 * The pages and the height that a B-tree has right after it is built, with deduplication. Columns
 * count as independent, unless the distinct combinations are known.
 */
export function btreeSize(shape: BtreeShape): BtreeSize {
  if (shape.rows < 1) return { pages: 1, height: 0 };
  const leaves = Math.max(1, Math.ceil(leafPages(shape)));
  const levels = innerLevels(leaves, pivotBytes(shape, leaves));
  const inner = levels.reduce((sum, pages) => sum + pages, 0);
  return { pages: 1 + leaves + inner, height: levels.length };
}

/** The height of a tree with this many pages, when it exists and only its size is known. */
export function heightOfPages(shape: BtreeShape, pages: number): number {
  return pages <= 2 ? 0 : innerLevels(pages - 1, pivotBytes(shape, pages)).length;
}

function leafPages(shape: BtreeShape): number {
  const { keys, include = [], isUnique = false, rows } = shape;
  const deduplicates =
    (shape.deduplicates ?? true) &&
    !isUnique &&
    include.length === 0 &&
    keys.every(({ isDeduplicable }) => isDeduplicable);
  const combinations = combine(shape, deduplicates);
  const total = combinations.reduce((sum, { share }) => sum + share, 0);
  return combinations.reduce((sum, combination) => {
    const ofClass = (rows * combination.share) / total;
    const filler = new LeafFiller({ fillPercent: shape.fillPercent ?? 90, deduplicates });
    return sum + pagesOf(combination, ofClass, filler);
  }, 0);
}

/** Keys that have about as many rows each. */
interface Combination {
  readonly share: number;
  /** Rows of each key, by its number. */
  readonly sizeOf: (position: number) => number;
  readonly widths: readonly number[];
}

function combine(shape: BtreeShape, deduplicates: boolean): readonly Combination[] {
  const { keys, include = [], tableRows } = shape;
  const columns = [...keys, ...include];
  const isAnyUnique = keys.some(({ distinct }) => distinct >= tableRows * 0.999);
  return choices(columns).map((classes) => {
    const share = classes.reduce((result, { share }) => result * share, 1);
    const sizeOf = isAnyUnique || !deduplicates ? groupSizes(0) : groupsOf(shape, classes, share);
    return { share, sizeOf, widths: sampleWidths(columns, classes) };
  });
}

/** How rows of a class of keys fall on its keys, in the part of the table that is indexed. */
function groupsOf(
  { keys, rows, tableRows, distinct }: BtreeShape,
  classes: readonly ValueClass[],
  share: number,
): (position: number) => number {
  const classRows = tableRows * share;
  const rateOf = ({ share, values }: ValueClass, isClustered: boolean) =>
    isClustered
      ? (tableRows * share) / values
      : rateOfDistinct(values, tableRows * share, Math.min(1, SAMPLED_ROWS / tableRows));
  const isClustered = keys.every((key) => key.isClustered);
  if (keys.length === 1 || distinct !== undefined) {
    // It is known how many keys occur.
    const values = distinct ?? classes[0]?.values ?? 1;
    const rate = rateOf({ share, values, widths: [] }, isClustered);
    return isClustered && rows === tableRows
      ? equalGroupSizes(rate)
      : groupSizes((rate * rows) / tableRows);
  }
  // Of combinations it is known how many there could be.
  const combinations = keys.reduce((product, { isClustered }, column) => {
    const valueClass = classes[column] ?? NO_VALUES;
    return (product * tableRows * valueClass.share) / rateOf(valueClass, isClustered);
  }, 1);
  return groupSizes(((classRows / combinations) * rows) / tableRows);
}

function pagesOf({ sizeOf, widths }: Combination, rows: number, filler: LeafFiller): number {
  let added = 0;
  let position = 0;
  while (added < rows && filler.pages < SAMPLED_PAGES) {
    const width = widths[position % widths.length] ?? 0;
    const size = Math.max(1, Math.min(sizeOf(position), Math.ceil(rows - added)));
    added += filler.addGroup(width, size, SAMPLED_PAGES);
    position += 1;
  }
  return (filler.pages * rows) / added;
}

/** Bytes of tuples with values of these classes, of all mixes of widths evenly. */
function sampleWidths(
  columns: readonly KeyShape[],
  classes: readonly ValueClass[],
): readonly number[] {
  const counts = classes.map(({ widths }) => widths.length);
  const samples = counts.every((count) => count <= 1) ? 1 : WIDTH_SAMPLES * Math.max(...counts, 1);
  return Array.from({ length: Math.min(samples, 512) }, (_, sample) =>
    tupleBytes(columns.map((key, column) => valueOf(key, classes[column], sample, column))),
  );
}

function valueOf(
  key: KeyShape,
  valueClass: ValueClass | undefined,
  sample: number,
  column: number,
): TupleValue {
  const widths = valueClass?.widths ?? [];
  // Steps that share no factor with each other, so that wide values do not always meet.
  const step = [1, 7, 11, 13, 17, 19, 23, 29][column % 8] ?? 1;
  return { key, bytes: widths[(sample * step + Math.floor(sample / 16)) % widths.length] };
}

/** A link holds as many keys as tell leaves apart, and the row's place when all do not. */
function pivotBytes({ keys, tableRows }: BtreeShape, leaves: number): number {
  let distinct = 1;
  let used = 0;
  while (used < keys.length && distinct < leaves) {
    distinct *= keys[used]?.distinct ?? 1;
    used += 1;
  }
  const kept = keys.slice(0, Math.max(1, used));
  const classes = kept.map((key) => key.classes.at(-1) ?? NO_VALUES);
  const widths = sampleWidths(kept, classes);
  const average = widths.reduce((sum, width) => sum + width, 0) / Math.max(1, widths.length);
  const splitsKeys = Math.min(distinct, tableRows) < leaves * KEYS_OF_SPLIT_LEAVES;
  return average + (splitsKeys ? TID_BYTES : 0);
}

const NO_VALUES: ValueClass = { share: 0, values: 1, widths: [8] };

function innerLevels(leaves: number, linkBytes: number): readonly number[] {
  const perPage = Math.max(2, Math.floor(INNER_SPACE / (linkBytes + LINE_POINTER_BYTES)));
  const levels: number[] = [];
  for (let pages = leaves; pages > 1;) {
    pages = Math.ceil(pages / perPage);
    levels.push(pages);
  }
  return levels;
}

/** Every choice of one class for each column, without those that hardly any row has. */
function choices(columns: readonly KeyShape[]): readonly (readonly ValueClass[])[] {
  let chosen: readonly { readonly share: number; readonly classes: readonly ValueClass[] }[] = [
    { share: 1, classes: [] },
  ];
  for (const { classes } of columns) {
    chosen = chosen
      .flatMap((choice) =>
        classes.map((next) => ({
          share: choice.share * next.share,
          classes: [...choice.classes, next],
        })),
      )
      .filter(({ share }) => share > NEGLIGIBLE_SHARE);
  }
  return chosen.map(({ classes }) => classes);
}
