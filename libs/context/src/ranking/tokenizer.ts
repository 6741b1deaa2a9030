import { stemmer } from 'stemmer';

/** A term: the form in which a word is indexed. The same form is the same object. */
export interface Term {
  readonly text: string;
  /** 24 bits. */
  readonly hash: number;
  /** Quoted, as `tsvector` and `tsquery` read it. */
  readonly lexeme: string;
}

const MAX_WORD_LENGTH = 64;
const MAX_CACHED_WORDS = 65_536;
const HASH_MASK = 0xff_ffff;

const SEPARATOR = 0;
const WORD = 1;
const OUTSIDE_ASCII = 2;

/** What each ASCII character is part of; everything else takes the slower way. */
const CHARACTER_CLASS = Uint8Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9]/.test(String.fromCharCode(code)) ? WORD : SEPARATOR,
);

const WORD_CHARACTER = /[\p{L}\p{N}\p{M}]/u;
/** Scripts written without spaces between words. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
/** `camelCase` and `HTTPServer` fall apart in `camel Case` and `HTTP Server`. */
const CAMEL_BOUNDARY = /(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/;

/**
 * Words repeat, so their terms are kept: 0.1 µs for a known word against 2 µs for a new one.
 * When full it starts anew, which costs less than keeping an order of use.
 */
const known = new Map<string, readonly Term[]>();
const terms = new Map<string, Term>();

/**
 * The terms of a text in its order: words in lower case without accents, reduced to their English
 * stem (M. F. Porter, 1980). A camel-case word gives its parts after itself; scripts without
 * spaces give pairs of characters.
 */
export function tokenize(text: string): Term[] {
  const found: Term[] = [];
  const { length } = text;
  let start = -1;
  for (let at = 0; at <= length; at += 1) {
    const isInWord = at < length && isWordCharacter(text, at);
    if (isInWord) {
      if (start < 0) start = at;
    } else if (start >= 0) {
      for (const word of partsOf(text, start, at)) {
        for (const term of termsOf(word)) found.push(term);
      }
      start = -1;
    }
  }
  return found;
}

/** A word, cut if it is none; a sentence of a script without spaces in parts that overlap. */
function partsOf(text: string, start: number, end: number): string[] {
  if (end - start <= MAX_WORD_LENGTH) return [text.slice(start, end)];
  if (!UNSPACED.test(text.slice(start, end))) return [text.slice(start, start + MAX_WORD_LENGTH)];
  const parts: string[] = [];
  for (let from = start; from < end - 1; from += MAX_WORD_LENGTH - 1) {
    parts.push(text.slice(from, Math.min(end, from + MAX_WORD_LENGTH)));
  }
  return parts;
}

function isWordCharacter(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  const kind = code < 128 ? CHARACTER_CLASS[code] : OUTSIDE_ASCII;
  if (kind !== OUTSIDE_ASCII) return kind === WORD;
  // The second half of a surrogate pair belongs to what its first half was found to be.
  if (code >= 0xdc00 && code <= 0xdfff) return at > 0 && isWordCharacter(text, at - 1);
  return WORD_CHARACTER.test(String.fromCodePoint(text.codePointAt(at) ?? code));
}

function termsOf(word: string): readonly Term[] {
  const cached = known.get(word);
  if (cached !== undefined) return cached;
  if (known.size >= MAX_CACHED_WORDS) {
    known.clear();
    terms.clear();
  }
  const found = [...new Set(formsOf(word))].map(termOf);
  known.set(copyOf(word), found);
  return found;
}

function termOf(form: string): Term {
  const cached = terms.get(form);
  if (cached !== undefined) return cached;
  const text = copyOf(form);
  const term: Term = { text, hash: hashOf(text), lexeme: quoted(text) };
  terms.set(text, term);
  return term;
}

/** A string of its own: a slice would keep the whole text alive that it was cut from. */
function copyOf(slice: string): string {
  return Buffer.from(slice).toString();
}

/** A term at the beginning of a text, as the full-text index keeps it. No word begins with `^`. */
export function asLead(word: string): string {
  return `^${word}`;
}

/** A word as `tsvector` and `tsquery` read it, whatever it holds. */
export function quoted(word: string): string {
  return `'${word.replaceAll(/['\\]/g, '$&$&')}'`;
}

function formsOf(word: string): string[] {
  const parts = word.split(CAMEL_BOUNDARY);
  const words = parts.length > 1 ? [word, ...parts] : [word];
  return words.flatMap((part) => {
    const plain = part.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
    if (UNSPACED.test(plain)) return pairs(plain);
    return plain === '' ? [] : [stemmer(plain)];
  });
}

function pairs(text: string): string[] {
  const characters = Array.from(text);
  if (characters.length < 2) return characters;
  return characters.slice(1).map((character, index) => `${characters[index] ?? ''}${character}`);
}

/** FNV-1a (G. Fowler, L. C. Noll, P. Vo) over UTF-16 units, folded to 24 bits. */
export function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  }
  return (hash ^ (hash >>> 24)) & HASH_MASK;
}
