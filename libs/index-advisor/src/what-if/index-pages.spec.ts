import { describe, expect, it } from '@jest/globals';
import { brinFirstPage, btreeSpine, ginFirstPage } from './index-pages.js';

const EMPTY = Buffer.alloc(8192);

describe('the pages of an empty B-tree', () => {
  it('lead from the root down to one leaf', () => {
    const [meta, leaf, inner, root] = btreeSpine(EMPTY, 2);

    expect([32, 36, 40, 44].map((offset) => meta?.readUInt32LE(offset))).toEqual([3, 2, 3, 2]);
    expect([leaf, inner, root].map((page) => page?.readUInt32LE(8184))).toEqual([0, 1, 2]);
    expect([leaf, inner, root].map((page) => page?.readUInt16LE(8188))).toEqual([1, 0, 2]);
    // The links of the inner pages name the blocks below.
    expect([inner, root].map((page) => page?.readUInt16LE(8170))).toEqual([1, 2]);
  });

  it('are one page that is root and leaf when the tree has no height', () => {
    const [meta, leaf, ...rest] = btreeSpine(EMPTY, 0);

    expect(rest).toEqual([]);
    expect(meta?.readUInt32LE(32)).toBe(1);
    expect(leaf?.readUInt16LE(8188)).toBe(3);
    expect(leaf?.readUInt16LE(12)).toBe(24);
  });

  it('leave what else the first page says', () => {
    const first = Buffer.alloc(8192, 7);
    const [meta] = btreeSpine(first, 1);

    expect(meta?.subarray(0, 32)).toEqual(first.subarray(0, 32));
    expect(meta?.subarray(48)).toEqual(first.subarray(48));
  });
});

describe('first pages of other indexes', () => {
  it('tell how long the map of BRIN is', () => {
    const first = Buffer.from(EMPTY);
    first.writeUInt32LE(128, 32);
    expect(brinFirstPage(first, 128 * 1360 * 3).readUInt32LE(36)).toBe(3);
    expect(brinFirstPage(first, 1).readUInt32LE(36)).toBe(1);
  });

  it('tell what is in a GIN index', () => {
    const page = ginFirstPage(EMPTY, { entryPages: 10, dataPages: 5, entries: 777 });
    expect([48, 52, 56].map((offset) => page.readUInt32LE(offset))).toEqual([16, 10, 5]);
    expect(page.readBigInt64LE(64)).toBe(777n);
  });
});
