import type { StoreEntry } from '../port/store-entry.js';

/** The parts of a score; their sum is the score. */
export interface ScoreTerms {
  readonly text: number;
  readonly recency: number;
  readonly frequency: number;
  readonly importance: number;
  readonly context: number;
}

/** How much each part of a score weighs. */
export interface ScoreWeights {
  readonly text: number;
  readonly recency: number;
  readonly recencyDecayMs: number;
  readonly frequency: number;
  readonly context: number;
}

/** The weights that hold unless settings say otherwise. */
export const DEFAULT_WEIGHTS: ScoreWeights = {
  text: 10,
  recency: 1,
  recencyDecayMs: 3_600_000,
  frequency: 2,
  context: 3,
};

const PINNED_BONUS = 2.5;

/**
 * The terms of an entry's score:
 * w_text · text relevance + w_t · e^(−age/τ) + w_f · ln(1 + accesses in the last hour)
 * + importance (5 when flagged, 2.5 more when pinned, plus the rating)
 * + w_c · share of context words.
 *
 * @param textRelevance 0 to 1
 * @param sharedWords Jaccard index of the entry's words and the context's, 0 to 1
 */
export function scoreTerms(
  entry: StoreEntry,
  textRelevance: number,
  sharedWords: number,
  nowMs: number,
  weights: ScoreWeights,
): ScoreTerms {
  // What is dated ahead of now is as recent as can be, not more.
  const ageMs = Math.max(0, nowMs - entry.occurredAt.getTime());
  return {
    text: weights.text * textRelevance,
    recency: weights.recency * Math.exp(-ageMs / weights.recencyDecayMs),
    frequency: weights.frequency * Math.log1p(entry.recentAccesses ?? 0),
    importance:
      (entry.importance ?? 0) + (entry.pinned === true ? PINNED_BONUS : 0) + (entry.rating ?? 0),
    context: weights.context * sharedWords,
  };
}

/** The score that the terms add up to. */
export function totalScore(terms: ScoreTerms): number {
  return terms.text + terms.recency + terms.frequency + terms.importance + terms.context;
}
