import { maxAlign } from './tuple-bytes.js';

// As `_bt_buildadd` and `_bt_sort_dedup_finish_pending` of PostgreSQL 13 to 18 fill leaves.

const PAGE_BYTES = 8192;
/** Header, special space, and the line pointer of the high key. */
const LEAF_SPACE = PAGE_BYTES - 24 - 16 - 4;
const LINE_POINTER_BYTES = 4;
const TID_BYTES = 6;
/** Room that a heap TID takes when the high key needs one. */
const HIGH_KEY_TID_BYTES = 8;
/** A tenth of a page, aligned, without its line pointer. */
const MAX_POSTING_BYTES = 812;

/** Fills leaves as a build does, to see how many pages given tuples take. */
export class LeafFiller {
  readonly #reservedBytes: number;
  readonly #deduplicates: boolean;
  #fullPages = 0;
  #freeBytes = LEAF_SPACE;
  #items = 0;
  #lastBytes = 0;
  #lastListBytes = 0;

  constructor(options: { readonly fillPercent: number; readonly deduplicates: boolean }) {
    this.#reservedBytes = Math.floor((PAGE_BYTES * (100 - options.fillPercent)) / 100);
    this.#deduplicates = options.deduplicates;
  }

  /** Pages so far; of the last one the part that is used. */
  get pages(): number {
    const used = LEAF_SPACE - this.#freeBytes;
    return this.#fullPages + used / (LEAF_SPACE - this.#reservedBytes);
  }

  /** Adds `rows` equal keys, of which one by itself takes `tupleBytes`. Returns how many it added. */
  addGroup(tupleBytes: number, rows: number, maxPages: number): number {
    if (!this.#deduplicates) return this.#addSingles(tupleBytes, rows, maxPages);
    const perPosting = Math.max(1, Math.floor((MAX_POSTING_BYTES - 4 - tupleBytes) / TID_BYTES));
    let added = 0;
    while (added < rows && this.#fullPages < maxPages) {
      const count = Math.min(perPosting, rows - added);
      const isSingle = count === 1;
      this.#add(
        isSingle ? tupleBytes : maxAlign(tupleBytes + count * TID_BYTES),
        isSingle ? 0 : count * TID_BYTES,
      );
      added += count;
    }
    return added;
  }

  #addSingles(tupleBytes: number, rows: number, maxPages: number): number {
    let added = 0;
    for (; added < rows && this.#fullPages < maxPages; added += 1) this.#add(tupleBytes, 0);
    return added;
  }

  #add(bytes: number, listBytes: number): void {
    const free = this.#freeBytes - LINE_POINTER_BYTES;
    const isFull =
      free < bytes + HIGH_KEY_TID_BYTES ||
      (free + this.#lastListBytes < this.#reservedBytes && this.#items > 1);
    if (isFull) {
      // The last tuple becomes the first of the next page; what stays of it is the high key.
      this.#fullPages += 1;
      this.#freeBytes = LEAF_SPACE - (this.#lastBytes + LINE_POINTER_BYTES);
      this.#items = 1;
    }
    this.#freeBytes -= bytes + LINE_POINTER_BYTES;
    this.#items += 1;
    this.#lastBytes = bytes;
    this.#lastListBytes = listBytes;
  }
}
