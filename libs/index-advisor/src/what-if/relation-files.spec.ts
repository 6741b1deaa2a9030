import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFirstPage, resizeRelation, writePages } from './relation-files.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relation-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the files of a relation', () => {
  it('are cut into segments and take no room', async () => {
    const path = join(folder, '16384');
    await resizeRelation(path, 131_072 * 2 + 5);

    const names = (await readdir(folder)).toSorted();
    const stats = await Promise.all(names.map((name) => stat(join(folder, name))));
    expect(names).toEqual(['16384', '16384.1', '16384.2']);
    expect(stats.map(({ size }) => size)).toEqual([2 ** 30, 2 ** 30, 5 * 8192]);
    expect(stats.reduce((sum, { blocks }) => sum + blocks, 0)).toBeLessThan(1000);
  });

  it('shrink to nothing, without those of others', async () => {
    const path = join(folder, '16384');
    await resizeRelation(path, 131_072 * 2);
    await resizeRelation(join(folder, '163841'), 1);
    await resizeRelation(path, 0);

    expect((await readdir(folder)).toSorted()).toEqual(['16384', '163841']);
    expect((await stat(path)).size).toBe(0);
    expect(await readFirstPage(path)).toBeUndefined();
  });

  it('keep the pages that are written first', async () => {
    const path = join(folder, '16384');
    await resizeRelation(path, 3);
    await writePages(path, [Buffer.alloc(8192, 1), Buffer.alloc(8192, 2)]);
    await resizeRelation(path, 10);

    expect((await readFirstPage(path))?.[100]).toBe(1);
    expect((await stat(path)).size).toBe(10 * 8192);
  });
});
