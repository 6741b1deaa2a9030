import type { CorpusSection } from './markdown-corpus.js';
import { drawn } from './seeded-random.js';

/** A question with the one section that answers it. */
export interface KnownItem {
  readonly question: string;
  /** Place of the answer in the corpus. */
  readonly answer: number;
}

const MIN_WORDS = 3;

/**
 * Headings of three words or more that occur once in the corpus, as questions whose answer is
 * their section; drawn by a seed.
 */
export function knownItems(
  corpus: readonly CorpusSection[],
  count: number,
  seed: number,
): { readonly eligible: number; readonly items: readonly KnownItem[] } {
  const counts = new Map<string, number>();
  for (const { heading } of corpus) {
    const key = normalised(heading);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const eligible = corpus.flatMap(({ heading }, answer) =>
    counts.get(normalised(heading)) === 1 && wordsIn(heading) >= MIN_WORDS
      ? { question: heading, answer }
      : [],
  );
  return { eligible: eligible.length, items: drawn(eligible, count, seed) };
}

function normalised(heading: string): string {
  return heading.toLowerCase().replaceAll(/\s+/g, ' ').trim();
}

function wordsIn(heading: string): number {
  return heading.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}
