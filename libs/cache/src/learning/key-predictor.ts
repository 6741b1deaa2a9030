/** A key that is likely to be read soon. */
export interface Prediction {
  readonly key: string;
  /** Estimated probability, 0 to 1. */
  readonly confidence: number;
  /** Observations that the estimate rests on. */
  readonly support: number;
}

/** Learns from reads which keys follow, in bounded memory. One for each namespace. */
export abstract class KeyPredictor {
  /** A client has read a key. */
  abstract observe(client: string, key: string, atMs: number): void;

  /** Forgets who read what last, because reads are missing; what was learnt stays. */
  abstract forgetClients(): void;

  /** What follows a read of the key with at least this probability, the likeliest first. */
  abstract predict(key: string, minConfidence?: number): readonly Prediction[];

  /** Keys with the likeliest successors, most observed first. */
  abstract strongest(limit: number): readonly KeySuccessors[];
}

/** What is known to follow a key. */
export interface KeySuccessors {
  readonly key: string;
  readonly successors: readonly Prediction[];
}
