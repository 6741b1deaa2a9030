import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isError, PantheonError } from '#libs/core';
import { glob } from 'tinyglobby';
import type { SkippedInput } from './ingest-input.js';

/** A larger file is data rather than a document. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const READ_AHEAD_FILES = 4;

/**
 * Files below `cwd` that match, sorted, with `/` between folders on every system. Links to
 * folders are not followed, so a cycle does no harm and nothing is read twice.
 * @throws PantheonError when nothing matches
 */
export async function findFiles(patterns: readonly string[], cwd: string): Promise<string[]> {
  const paths = await glob([...patterns], {
    cwd,
    onlyFiles: true,
    followSymbolicLinks: false,
    expandDirectories: false,
  });
  if (paths.length === 0) {
    const reason = `no file below ${cwd} matches ${patterns.map((p) => `"${p}"`).join(', ')}`;
    throw new PantheonError('INGEST_NO_FILES', `Nothing to ingest: ${reason}.`, {
      kind: 'invalid',
      faults: [{ path: '--glob', code: 'INGEST_NO_FILES', message: reason }],
    });
  }
  return paths.map((path) => path.replaceAll('\\', '/')).sort();
}

/** The text of a file, or why there is none. */
export type ReadDocument =
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly skipped: SkippedInput };

/** The files in their order; some are read ahead, so that the disk is not waited for. */
export async function* readDocuments(
  paths: readonly string[],
  cwd: string,
): AsyncGenerator<ReadDocument> {
  const ahead: Promise<ReadDocument>[] = [];
  for (const path of paths) {
    const reading = readDocument(path, cwd);
    // It rejects where it is awaited; nobody awaits it when the reader stops early.
    reading.catch(() => undefined);
    ahead.push(reading);
    if (ahead.length <= READ_AHEAD_FILES) continue;
    const [oldest] = ahead.splice(0, 1);
    if (oldest !== undefined) yield await oldest;
  }
  for (const reading of ahead) yield await reading;
}

async function readDocument(path: string, cwd: string): Promise<ReadDocument> {
  try {
    const file = resolve(cwd, path);
    if ((await stat(file)).size > MAX_FILE_BYTES) {
      return { path, skipped: { path, reason: `larger than ${MAX_FILE_BYTES} bytes` } };
    }
    return { path, text: await readFile(file, 'utf8') };
  } catch (error) {
    if (!isError(error) || !('syscall' in error)) throw error;
    return { path, skipped: { path, reason: error.message } };
  }
}
