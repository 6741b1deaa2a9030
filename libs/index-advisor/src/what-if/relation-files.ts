import { open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Bytes of a page, and of the files into which PostgreSQL cuts a relation. */
export const PAGE_BYTES = 8192;
const SEGMENT_BYTES = 2 ** 30;

/**
 * Gives a relation the size of `pages` without data: its files become sparse, so they take hardly
 * any room on the disk. What is in the first pages stays. PostgreSQL must not be running on them.
 */
export async function resizeRelation(path: string, pages: number): Promise<void> {
  const bytes = pages * PAGE_BYTES;
  const segments = Math.max(1, Math.ceil(bytes / SEGMENT_BYTES));
  for (let segment = 0; segment < segments; segment += 1) {
    const rest = bytes - segment * SEGMENT_BYTES;
    await resizeFile(segmentPath(path, segment), Math.min(rest, SEGMENT_BYTES));
  }
  await removeSegmentsFrom(path, segments);
}

/** Writes whole pages at the beginning of a relation. */
export async function writePages(path: string, pages: readonly Buffer[]): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.write(Buffer.concat(pages), 0, pages.length * PAGE_BYTES, 0);
  } finally {
    await file.close();
  }
}

/** The first page of a relation, or undefined when it has none. */
export async function readFirstPage(path: string): Promise<Buffer | undefined> {
  const file = await open(path, 'r');
  try {
    const page = Buffer.alloc(PAGE_BYTES);
    const { bytesRead } = await file.read(page, 0, PAGE_BYTES, 0);
    return bytesRead === PAGE_BYTES ? page : undefined;
  } finally {
    await file.close();
  }
}

async function resizeFile(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'a', 0o600);
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
}

async function removeSegmentsFrom(path: string, first: number): Promise<void> {
  const name = `${basename(path)}.`;
  const names = await readdir(dirname(path));
  const surplus = names.filter(
    (other) => other.startsWith(name) && Number(other.slice(name.length)) >= first,
  );
  await Promise.all(surplus.map((other) => rm(join(dirname(path), other))));
}

function segmentPath(path: string, segment: number): string {
  return segment === 0 ? path : `${path}.${segment}`;
}
