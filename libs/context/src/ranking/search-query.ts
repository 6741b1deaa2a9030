import { cosine } from './embedding-provider.js';
import {
  FEATURE_BYTES,
  HEADER_BYTES,
  LEAD_END,
  LEAD_START,
  pairHash,
  wordCount,
} from './features.js';
import { idfOf, type TermStatistics } from './term-statistics.js';
import { type Term, tokenize } from './tokenizer.js';

/** A term of a seed with how much it tells: its idf, more when it is repeated. */
export interface WeighedTerm {
  readonly term: Term;
  readonly idf: number;
  readonly weight: number;
}

/** A text to search with. */
export interface SearchText {
  readonly text: string;
  /** How much a perfect match counts, above 0 to 1. */
  readonly weight: number;
  /** The text is that of an entry, about whose own relevance it says nothing. Default false. */
  readonly isEcho?: boolean;
}

/** A text to search with, taken apart. */
export interface Seed extends SearchText {
  /** The most telling distinct terms, best first. */
  readonly terms: readonly WeighedTerm[];
  /** Terms in all, repeated ones too. */
  readonly length: number;
}

const MAX_SEED_TERMS = 48;
/** Longer texts are searched by the terms of their beginning. */
const MAX_SEED_LENGTH = 8_192;
/** Neighbours and edges of a phrase, as shares of a term's weight; tuned as features.ts says. */
const PAIR_WEIGHT = 0.3;
const EDGE_WEIGHT = 0.15;
const SLOTS_PER_FEATURE = 16;

/** What the meaning of the texts is near to, when an embedding service is there. */
export interface SearchVectors {
  readonly vectors: readonly Uint8Array[];
  /** Their share in the relevance, 0 to 1. */
  readonly weight: number;
}

/**
 * What a set of texts looks for, ready to be compared with many packed features. The texts'
 * features stand in an open-addressed table, so that most features of an entry are dismissed
 * with one look: 0.3 µs for an entry of 60 features and a question of 6 words.
 */
export class SearchQuery {
  readonly seeds: readonly Seed[];
  private readonly slots: Uint16Array;
  private readonly mask: number;
  private readonly hashes: number[] = [];
  private readonly isWord: boolean[] = [];
  /** For each feature, weights by seed, divided by all that the seed weighs. */
  private readonly weights: Float64Array[] = [];
  private readonly wordsInContext: number;
  private readonly scores: Float64Array;

  constructor(
    texts: readonly SearchText[],
    statistics: TermStatistics,
    private readonly meaning?: SearchVectors,
    /** Whether an embedding service should have told what the texts mean, and did not answer. */
    readonly isPartial = false,
  ) {
    const drafts = texts.map((text) => draftOf(text, statistics));
    this.seeds = drafts.map(({ seed }) => seed);
    this.scores = new Float64Array(drafts.length);
    const size = drafts.reduce((sum, { features }) => sum + features.size, 1) * SLOTS_PER_FEATURE;
    this.mask = 2 ** Math.ceil(Math.log2(size)) - 1;
    this.slots = new Uint16Array(this.mask + 1);
    for (const [index, { features, total }] of drafts.entries()) {
      for (const [hash, { weight, isWord }] of features) {
        const slot = this.slotFor(hash, isWord, drafts.length);
        const weights = this.weights[slot];
        if (weights !== undefined) weights[index] = weight / total;
      }
    }
    this.wordsInContext = this.isWord.filter(Boolean).length;
  }

  /** Whether vectors of an embedding service are compared as well. */
  get hasMeaning(): boolean {
    return this.meaning !== undefined;
  }

  /**
   * How well an entry fits the texts: for each, the share of its weight that the entry holds, and
   * of these the best; 0 to 1.
   */
  compare({ features, dense, text }: Comparable): Comparison {
    const { scores, slots, mask, hashes } = this;
    scores.fill(0);
    const words = wordCount(features);
    const wordsEnd = HEADER_BYTES + FEATURE_BYTES * words;
    const end = words === 0 ? 0 : features.length;
    let shared = 0;
    for (let at = HEADER_BYTES; at < end; at += FEATURE_BYTES) {
      const hash =
        (features[at] ?? 0) | ((features[at + 1] ?? 0) << 8) | ((features[at + 2] ?? 0) << 16);
      let place = hash & mask;
      let slot = slots[place] ?? 0;
      while (slot !== 0 && hashes[slot - 1] !== hash) {
        place = (place + 1) & mask;
        slot = slots[place] ?? 0;
      }
      if (slot === 0) continue;
      if (at < wordsEnd && this.isWord[slot - 1] === true) shared += 1;
      const strength = (features[at + 3] ?? 0) / 255;
      const weights = this.weights[slot - 1];
      if (weights === undefined) continue;
      for (let seed = 0; seed < scores.length; seed += 1) {
        scores[seed] = (scores[seed] ?? 0) + strength * (weights[seed] ?? 0);
      }
    }
    const union = words + this.wordsInContext - shared;
    return {
      relevance: this.blend(this.best(text), dense),
      sharedWords: union === 0 ? 0 : shared / union,
    };
  }

  private blend(words: number, dense: Uint8Array | null | undefined): number {
    if (this.meaning === undefined || dense === null || dense === undefined) return words;
    const { vectors, weight } = this.meaning;
    const nearest = vectors.reduce((best, vector) => Math.max(best, cosine(dense, vector)), 0);
    return (1 - weight) * words + weight * nearest;
  }

  private best(ownText: string | null | undefined): number {
    let best = 0;
    for (const [index, { text, weight, isEcho }] of this.seeds.entries()) {
      if (isEcho === true && text === ownText) continue;
      best = Math.max(best, weight * (this.scores[index] ?? 0));
    }
    return Math.min(1, best);
  }

  private slotFor(hash: number, isWord: boolean, seeds: number): number {
    let place = hash & this.mask;
    for (let slot = this.slots[place]; slot !== 0 && slot !== undefined; slot = this.slots[place]) {
      if (this.hashes[slot - 1] === hash) {
        if (isWord) this.isWord[slot - 1] = true;
        return slot - 1;
      }
      place = (place + 1) & this.mask;
    }
    this.hashes.push(hash);
    this.isWord.push(isWord);
    this.weights.push(new Float64Array(seeds));
    this.slots[place] = this.hashes.length;
    return this.hashes.length - 1;
  }
}

/** What is compared with a query. */
export interface Comparable {
  readonly features: Uint8Array;
  readonly dense?: Uint8Array | null | undefined;
  /** To tell an entry from the echo of its own text. */
  readonly text?: string | null;
}

/** How an entry compares with what is looked for; both 0 to 1. */
export interface Comparison {
  readonly relevance: number;
  /** Jaccard index of the entry's words and those of all texts. */
  readonly sharedWords: number;
}

interface Draft {
  readonly seed: Seed;
  readonly features: ReadonlyMap<number, { weight: number; isWord: boolean }>;
  readonly total: number;
}

function draftOf(source: SearchText, statistics: TermStatistics): Draft {
  const all = tokenize(source.text.slice(0, MAX_SEED_LENGTH));
  const counts = new Map<Term, number>();
  const distinct = new Map<number, WeighedTerm>();
  for (const term of all) counts.set(term, (counts.get(term) ?? 0) + 1);
  for (const [term, count] of counts) {
    const idf = idfOf(statistics, term.text);
    distinct.set(term.hash, { term, idf, weight: idf * (1 + Math.log(count)) });
  }
  const terms = [...distinct.values()].sort((a, b) => b.weight - a.weight).slice(0, MAX_SEED_TERMS);
  const features = new Map<number, { weight: number; isWord: boolean }>();
  for (const { term, weight } of terms) features.set(term.hash, { weight, isWord: true });
  // Only a text short enough to be a question or a title is compared as a phrase.
  if (all.length > 0 && all.length <= MAX_SEED_TERMS) addPhrase(features, all, distinct);
  let total = 0;
  for (const feature of features.values()) total += feature.weight;
  return {
    seed: { ...source, terms, length: all.length },
    features,
    total: total === 0 ? 1 : total,
  };
}

function addPhrase(
  features: Map<number, { weight: number; isWord: boolean }>,
  terms: readonly Term[],
  distinct: ReadonlyMap<number, WeighedTerm>,
): void {
  const idf = (term: Term): number => distinct.get(term.hash)?.idf ?? 0;
  const framed = [LEAD_START, ...terms, LEAD_END];
  for (const [index, second] of framed.slice(1).entries()) {
    const first = framed[index] ?? LEAD_START;
    const isEdge = first === LEAD_START || second === LEAD_END;
    const weight = isEdge
      ? EDGE_WEIGHT * (idf(first) + idf(second))
      : (PAIR_WEIGHT * (idf(first) + idf(second))) / 2;
    const hash = pairHash(first, second);
    if (!features.has(hash)) features.set(hash, { weight, isWord: false });
  }
}
