import { indexText } from './features.js';
import { asLead, quoted } from './tokenizer.js';

/** What the search index stores of a text. */
export interface StoredIndex {
  /** Its words and those of its lead, as PostgreSQL reads them in a `tsvector`. */
  readonly words: string;
  /** Packed (features.ts). */
  readonly features: Uint8Array;
}

/** Indexes a text for the store. Takes 0.05 µs a character of known words, and up to 2 of new ones. */
export function storedIndexOf(text: string): StoredIndex {
  const { terms, leadTerms, features } = indexText(text);
  const words = [
    ...leadTerms.map((term) => quoted(asLead(term.text))),
    ...terms.map(({ lexeme }) => lexeme),
  ].join(' ');
  return { words, features };
}
