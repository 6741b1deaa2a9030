import { PAGE_BYTES } from './relation-files.js';

// Layouts of PostgreSQL 18: src/include/storage/bufpage.h, access/nbtree.h, access/brin_page.h and
// access/ginblock.h. Numbers are little-endian, as WebAssembly has them.

const PAGE_HEADER_BYTES = 24;
const LAYOUT_VERSION = 4;
const BTREE_SPECIAL_BYTES = 16;
const IS_LEAF = 1;
const IS_ROOT = 2;
/** Page numbers in a page of BRIN's map from ranges to summaries. */
const BRIN_MAP_ENTRIES = 1360;

/**
 * The pages of an empty B-tree of `height` levels above its leaves: the first page, which names the
 * root, and one page of each level from the leaf up. The planner asks for the height, and looks
 * for the least and greatest value, which a tree that is valid and empty answers with "none".
 */
export function btreeSpine(firstPage: Buffer, height: number): readonly Buffer[] {
  const meta = Buffer.from(firstPage);
  const root = height + 1;
  // Root and its level, and the same for the fast root, where searches begin.
  for (const [offset, value] of [root, height, root, height].entries()) {
    meta.writeUInt32LE(value, PAGE_HEADER_BYTES + 8 + 4 * offset);
  }
  const levels = Array.from({ length: height + 1 }, (_, level) => btreePage(level, height));
  return [meta, ...levels];
}

/** BRIN's first page with a map as long as that of a table of `tablePages`. */
export function brinFirstPage(firstPage: Buffer, tablePages: number): Buffer {
  const meta = Buffer.from(firstPage);
  const pagesPerRange = meta.readUInt32LE(PAGE_HEADER_BYTES + 8);
  const mapPages = Math.max(1, Math.ceil(tablePages / pagesPerRange / BRIN_MAP_ENTRIES));
  meta.writeUInt32LE(mapPages, PAGE_HEADER_BYTES + 12);
  return meta;
}

/** Sizes inside a GIN index, of which the planner reckons the cost of a search. */
export interface GinCounts {
  readonly entryPages: number;
  readonly dataPages: number;
  readonly entries: number;
}

/** GIN's first page with these sizes and nothing pending. */
export function ginFirstPage(firstPage: Buffer, counts: GinCounts): Buffer {
  const meta = Buffer.from(firstPage);
  meta.writeUInt32LE(1 + counts.entryPages + counts.dataPages, PAGE_HEADER_BYTES + 24);
  meta.writeUInt32LE(counts.entryPages, PAGE_HEADER_BYTES + 28);
  meta.writeUInt32LE(counts.dataPages, PAGE_HEADER_BYTES + 32);
  meta.writeBigInt64LE(BigInt(counts.entries), PAGE_HEADER_BYTES + 40);
  return meta;
}

/** One page, the only one of its level: without items when a leaf, else with one link downwards. */
function btreePage(level: number, height: number): Buffer {
  const page = Buffer.alloc(PAGE_BYTES);
  const special = PAGE_BYTES - BTREE_SPECIAL_BYTES;
  const flags = (level === 0 ? IS_LEAF : 0) | (level === height ? IS_ROOT : 0);
  page.writeUInt32LE(level, special + 8);
  page.writeUInt16LE(flags, special + 12);
  const items = level === 0 ? 0 : 1;
  page.writeUInt16LE(PAGE_HEADER_BYTES + 4 * items, 12);
  page.writeUInt16LE(special - 8 * items, 14);
  page.writeUInt16LE(special, 16);
  page.writeUInt16LE(PAGE_BYTES | LAYOUT_VERSION, 18);
  if (level > 0) writeDownlink(page, special - 8, level);
  return page;
}

/** The link to the page below, with no key, which stands for "less than everything". */
function writeDownlink(page: Buffer, offset: number, block: number): void {
  const isNormal = 1;
  const itemBytes = 8;
  const isPivot = 0x2000;
  page.writeUInt32LE(offset | (isNormal << 15) | (itemBytes << 17), PAGE_HEADER_BYTES);
  page.writeUInt16LE(block >>> 16, offset);
  page.writeUInt16LE(block & 0xffff, offset + 2);
  page.writeUInt16LE(itemBytes | isPivot, offset + 6);
}
