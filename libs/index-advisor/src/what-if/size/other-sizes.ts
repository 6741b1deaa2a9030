import type { GinCounts } from '../index-pages.js';
import type { KeyShape } from './key-shape.js';
import { tupleBytes } from './tuple-bytes.js';

const PAGE_BYTES = 8192;
const LINE_POINTER_BYTES = 4;
/** Of a page, what is not header and special space. */
const PAGE_SPACE = 8152;
/** How full pages of a tree are that was filled by single inserts, as GiST's mostly are. */
const TREE_FILL = 0.7;
/** A hash index is created for this part of a full bucket. */
const HASH_FILL = 0.75;
const HASH_ENTRY_BYTES = 16 + LINE_POINTER_BYTES;
const PAGES_PER_BITMAP = 32_768;

/** The pages of a hash index: buckets, which come in powers of two and their quarters. */
export function hashPages(rows: number): number {
  const wanted = Math.max(2, (rows * HASH_ENTRY_BYTES) / (PAGE_SPACE * HASH_FILL));
  const power = 2 ** Math.floor(Math.log2(wanted));
  // From ten splits on, a doubling is done in four parts.
  const step = power >= 512 ? power / 4 : power;
  const buckets = Math.ceil(wanted / step) * step;
  return 1 + buckets + Math.ceil(buckets / PAGES_PER_BITMAP);
}

/** The pages of a BRIN index: its map, and one summary for each range of pages. */
export function brinPages(tablePages: number, keys: readonly KeyShape[], pagesPerRange = 128) {
  const ranges = Math.max(1, Math.ceil(tablePages / pagesPerRange));
  // A summary has the least and the greatest value of each column.
  const summary = tupleBytes(keys.flatMap((key) => [meanValue(key), meanValue(key)]));
  const perPage = Math.max(1, Math.floor(PAGE_SPACE / (summary + LINE_POINTER_BYTES)));
  return 1 + Math.ceil(ranges / 1360) + Math.ceil(ranges / perPage);
}

/** The pages of a GiST or SP-GiST index, whose keys are about as wide as the values. */
export function searchTreePages(rows: number, keys: readonly KeyShape[]): number {
  const bytes = tupleBytes(keys.map((key) => meanValue(key))) + LINE_POINTER_BYTES;
  return 1 + Math.max(1, Math.ceil((rows * bytes) / (PAGE_SPACE * TREE_FILL)));
}

/** What a GIN index is built of. */
export interface GinShape {
  readonly rows: number;
  readonly tablePages: number;
  /** Entries of a value on average, and how many different ones there are. */
  readonly entriesPerValue: number;
  readonly distinctEntries: number;
  readonly entryBytes: number;
}

/**
 * The sizes of a GIN index after it is built: an entry for each different element, with the rows
 * that have it, compressed. Long lists of rows have pages of their own.
 */
export function ginCounts(shape: GinShape): GinCounts {
  const entries = Math.max(1, Math.round(shape.distinctEntries));
  const listRows = (shape.rows * shape.entriesPerValue) / entries;
  const listBytes = listRows * bytesOfRow(shape, listRows);
  const isInline = listBytes < GIN_INLINE_BYTES;
  const entryBytes =
    Math.ceil((8 + shape.entryBytes + (isInline ? listBytes : 0)) / 8) * 8 + LINE_POINTER_BYTES;
  const entryPages = Math.ceil((entries * entryBytes) / (PAGE_SPACE * GIN_ENTRY_FILL));
  const treePages = Math.max(1, Math.ceil(listBytes / (PAGE_SPACE * GIN_LIST_FILL)));
  // A list of several pages has one above them.
  const pagesOfList = treePages > 1 ? treePages + 1 : treePages;
  return {
    entries,
    entryPages: Math.max(1, entryPages + (entryPages > 1 ? 1 : 0)),
    dataPages: isInline ? 0 : Math.round(entries * pagesOfList),
  };
}

/** Longer lists of rows leave the entry. */
const GIN_INLINE_BYTES = 2000;
const GIN_ENTRY_FILL = 0.7;
const GIN_LIST_FILL = 0.9;

/** Bytes of the distance from one row of a list to the next: 11 bits of it are within a page. */
function bytesOfRow({ rows, tablePages }: GinShape, listRows: number): number {
  const rowsPerPage = rows / Math.max(1, tablePages);
  const gapRows = rows / Math.max(1, listRows);
  const gapPages = gapRows / Math.max(1, rowsPerPage);
  const far = gapPages * 2048 < 2 ** 14 ? 2 : Math.ceil(Math.log2(gapPages * 2048) / 7);
  return gapPages >= 1 ? far : 1 + gapPages * (far - 1);
}

function meanValue(key: KeyShape) {
  const widths = key.classes.flatMap((valueClass) => valueClass.widths);
  const sum = widths.reduce((total, width) => total + width, 0);
  return { key, bytes: widths.length === 0 ? 8 : sum / widths.length };
}

/** All pages of a GIN index with these counts. */
export function ginPages({ entryPages, dataPages }: GinCounts): number {
  return 1 + entryPages + dataPages;
}

/** Bytes of whole pages. */
export function bytesOfPages(pages: number): number {
  return pages * PAGE_BYTES;
}
