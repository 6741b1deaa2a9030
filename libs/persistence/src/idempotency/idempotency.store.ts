/** What a request under an idempotency key was answered with. */
export interface StoredAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** One use of a key: whose, for which route, and a digest of what was sent. */
export interface IdempotencyClaim {
  readonly ownerId: string;
  readonly route: string;
  readonly key: string;
  readonly requestHash: string;
}

export type ClaimOutcome =
  /** The caller is the first and must `complete` or `release` the claim. */
  | { readonly state: 'claimed' }
  /** The same request was answered before. */
  | { readonly state: 'answered'; readonly answer: StoredAnswer }
  /** The same request is still under way elsewhere. */
  | { readonly state: 'running' }
  /** The key was used for another request. */
  | { readonly state: 'mismatch' };

/** Remembers the answers to requests that carry an `Idempotency-Key`. */
export abstract class IdempotencyStore {
  abstract claim(claim: IdempotencyClaim): Promise<ClaimOutcome>;
  /** Keeps the claim of a request that is still at work; without it for two minutes it is another's. */
  abstract renew(claim: IdempotencyClaim): Promise<void>;
  abstract complete(claim: IdempotencyClaim, answer: StoredAnswer): Promise<void>;
  /** Gives a claim back after a failure, so that a retry runs again. */
  abstract release(claim: IdempotencyClaim): Promise<void>;
}
