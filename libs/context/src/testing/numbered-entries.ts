import type { BulkLine } from '../services/views.js';

/** Entries as the lines of a body. */
export async function* lines(entries: readonly unknown[]): AsyncGenerator<BulkLine> {
  for (const [index, entry] of entries.entries()) yield { line: index + 1, entry };
}

export interface KeyedEntry {
  text: string;
  externalKey: string;
}

/** An entry whose key says its number. */
export const entry = (index: number, text = `Entry ${index}`): KeyedEntry => ({
  text,
  externalKey: `k${index}`,
});

/** That many entries, from number 0 on. */
export const numbered = (count: number): KeyedEntry[] =>
  Array.from({ length: count }, (_, index) => entry(index));
