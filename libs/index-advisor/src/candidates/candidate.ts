import type { CandidateIndex } from '../what-if/candidate-index.js';

/** An index that might pay, why, and for which statements. */
export interface Candidate {
  readonly index: CandidateIndex;
  /** What of a statement it is for, such as `equality on customer_id, order by created_at`. */
  readonly reason: string;
  /** Fingerprints of the statements that it was made for. */
  readonly statements: readonly string[];
}

/** How many candidates there may be, and how wide. */
export interface CandidateLimits {
  /** Default 60. */
  readonly maxPerStatement?: number;
  /** Default 500. */
  readonly maxCandidates?: number;
  /** Keys of one index; default 4. */
  readonly maxKeys?: number;
  /** Columns that are only stored; default 6. */
  readonly maxIncluded?: number;
  /** Tables of fewer pages are read whole anyway; default 8. */
  readonly minTablePages?: number;
}

/** An index for one place of a statement. */
export interface Proposal {
  readonly index: CandidateIndex;
  readonly reason: string;
}
