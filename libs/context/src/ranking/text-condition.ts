import type { Seed } from './search-query.js';
import type { TermStatistics } from './term-statistics.js';
import { asLead, quoted } from './tokenizer.js';

/** How much a search may look at. */
export interface SearchBudget {
  /** Entries of the source. */
  readonly entries: number;
  /** About how many entries of the source may be found. */
  readonly matches: number;
}

/** A long text is searched by fewer words than a question: those that tell most. */
const LONG_TEXT_TERMS = 48;
const WORDS_OF_LONG_TEXT = 2;
const WORDS_OF_QUESTION = 8;
/** Of the words that are too common by themselves, so many are tried in pairs and triples. */
const WORDS_IN_GROUPS = 4;
const MAX_GROUPS = 8;
/**
 * Entries of all sources whose place in the index is looked at, for one text. 0.5 to 1 µs each,
 * so that a search of three sources with one question stays at 5 ms of server time.
 */
const MAX_LOOKED_AT = 3000;

/**
 * The condition, in the language of `tsquery`, that an entry has to meet to be ranked at all;
 * undefined when the texts hold no word. An entry meets it with one of several groups of words:
 * single ones that are rare enough, commoner ones at its beginning, pairs and triples. What finds
 * more than can be ranked says too little to be worth the reading.
 *
 * The texts share the budget by their weights.
 */
export function textCondition(
  seeds: readonly Seed[],
  statistics: TermStatistics,
  budget: SearchBudget,
): string | undefined {
  const parts = new Set<string>();
  const totalWeight = seeds.reduce((sum, { weight }) => sum + weight, 0);
  for (const seed of seeds) {
    const share = seed.weight / totalWeight;
    const groups = chooseGroups(
      { words: wordsOf(seed), isEcho: seed.isEcho ?? false },
      statistics,
      { entries: budget.entries, matches: budget.matches * share },
    );
    for (const part of factored(groups)) parts.add(part);
  }
  return parts.size === 0 ? undefined : [...parts].join(' | ');
}

/** The most telling first. */
function wordsOf({ terms, length }: Seed): string[] {
  const most = length > LONG_TEXT_TERMS ? WORDS_OF_LONG_TEXT : WORDS_OF_QUESTION;
  return terms.slice(0, most).map(({ term }) => term.text);
}

function chooseGroups(
  { words, isEcho }: { readonly words: readonly string[]; readonly isEcho: boolean },
  statistics: TermStatistics,
  { entries, matches }: SearchBudget,
): Group[] {
  const chosen: Group[] = [];
  const leading = new Set<string>();
  let matchesLeft = matches;
  let looksLeft = MAX_LOOKED_AT;
  // The index walks along the rarest word, once for all groups that it leads.
  const looksOf = (word: string): number =>
    leading.has(word) ? 0 : Math.min(entries, statistics.entries * statistics.shareOf(word));
  for (const group of isEcho ? singles(words) : candidateGroups(words)) {
    if (chosen.length === MAX_GROUPS) break;
    const expected = group.reduce((n, word) => n * statistics.shareOf(word), entries);
    const looks = looksOf(group[0]);
    const isCovered = chosen.some((other) => other.every((word) => implies(group, word)));
    if (isCovered || expected > matchesLeft || looks > looksLeft) continue;
    chosen.push(group);
    leading.add(group[0]);
    matchesLeft -= expected;
    looksLeft -= looks;
  }
  const [first, ...others] = words;
  if (chosen.length > 0 || first === undefined || isEcho) return chosen;
  // Nothing is rare enough: then where all words stand together, and if even the rarest of them
  // is everywhere, where they stand together at the beginning.
  return looksOf(first) <= MAX_LOOKED_AT
    ? [[first, ...others]]
    : [[asLead(first), ...others.map(asLead)]];
}

/** Whether all that a group finds has a word. */
function implies(group: Group, word: string): boolean {
  return group.includes(word) || group.includes(asLead(word));
}

/** Words that must stand together, the rarest first. */
type Group = readonly [string, ...string[]];

function* singles(words: readonly string[]): Generator<Group> {
  for (const word of words) yield [word];
  for (const word of words) yield [asLead(word)];
}

function* candidateGroups(all: readonly string[]): Generator<Group> {
  yield* singles(all);
  const words = all.slice(0, WORDS_IN_GROUPS);
  for (const [index, first] of words.entries()) {
    for (const second of words.slice(index + 1)) yield [first, second];
  }
  for (const [index, first] of words.entries()) {
    for (const [offset, second] of words.slice(index + 1).entries()) {
      for (const third of words.slice(index + offset + 2)) yield [first, second, third];
    }
  }
}

/** `(a & b) | (a & c)` as `a & (b | c)`: the index then walks along `a` alone. */
function factored(groups: readonly Group[]): string[] {
  const byFirst = new Map<string, string[]>();
  for (const [first, ...others] of groups) {
    const rest = byFirst.get(first) ?? [];
    if (others.length > 0) rest.push(others.map(quoted).join(' & '));
    byFirst.set(first, rest);
  }
  return [...byFirst].map(([first, rest]) => {
    if (rest.length === 0) return quoted(first);
    const [only = '', ...more] = rest;
    if (more.length === 0) return `(${quoted(first)} & ${only})`;
    return `(${quoted(first)} & (${rest.map((group) => `(${group})`).join(' | ')}))`;
  });
}
