import type { TermStatistics } from './term-statistics.js';
import type { Term } from './tokenizer.js';

/** How common terms are among some texts, given by their distinct terms. */
export function localStatistics(texts: readonly (readonly Term[])[]): TermStatistics {
  const counts = new Map<string, number>();
  for (const terms of texts) {
    for (const { text } of terms) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const entries = texts.length;
  return { entries, shareOf: (term) => ((counts.get(term) ?? 0) + 0.5) / (entries + 1) };
}
