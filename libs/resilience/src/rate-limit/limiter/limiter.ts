import type { Verdict } from '../gcra/bucket.js';
import type { RatePolicy } from '../gcra/rate-policy.js';

/** A key that was refused, and how often. */
export interface RefusedKey {
  readonly key: string;
  readonly refused: number;
}

/** Lets requests through by one policy, each key within a budget of its own. */
export abstract class Limiter {
  allowed = 0;
  refused = 0;

  constructor(protected current: RatePolicy) {}

  get policy(): RatePolicy {
    return this.current;
  }

  /** Keys that are remembered. */
  abstract get keys(): number;

  /** Decides about one request; undefined where another process has to be asked, by `ask`. */
  abstract check(key: string, nowUs: number): Verdict | undefined;

  /** Decides about one request for which `check` could not. It never fails. */
  abstract ask(key: string): Promise<Verdict>;

  /** Puts another policy of this name in force. Budgets go on where their units stay the same. */
  abstract change(policy: RatePolicy): void;

  /** The keys that were refused most, of those that are remembered. */
  abstract mostRefused(count: number): RefusedKey[];
}

/** The first few by refusals. */
export function firstOf(keys: Iterable<RefusedKey>, count: number): RefusedKey[] {
  return [...keys]
    .filter(({ refused }) => refused > 0)
    .sort((one, other) => other.refused - one.refused)
    .slice(0, count)
    .map(({ key, refused }) => ({ key, refused }));
}
