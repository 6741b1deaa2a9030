import type { Workload } from './workload.js';

/** Keys after a key that are counted; others replace the least. */
const MAX_FOLLOWERS = 4;
const MAX_KEYS = 50_000;
const MIN_SEEN = 2;

interface Followers {
  seen: number;
  readonly counts: Map<number, number>;
}

/** Which key follows which, learnt as the reads come. Bounded, and without clients: one stream. */
export class Successors {
  private readonly followers = new Map<number, Followers>();
  private last = -1;

  /** The key that is likely to come after this one, with how often it did. */
  predict(key: number): { readonly key: number; readonly confidence: number } | undefined {
    const known = this.followers.get(key);
    if (known === undefined || known.seen < MIN_SEEN) return undefined;
    let best = -1;
    let most = 0;
    for (const [follower, count] of known.counts) {
      if (count > most) [best, most] = [follower, count];
    }
    return { key: best, confidence: most / known.seen };
  }

  add(key: number): void {
    const { last } = this;
    this.last = key;
    if (last < 0 || last === key) return;
    let known = this.followers.get(last);
    if (known === undefined) {
      if (this.followers.size >= MAX_KEYS) return;
      known = { seen: 0, counts: new Map() };
      this.followers.set(last, known);
    }
    known.seen += 1;
    const count = known.counts.get(key);
    if (count === undefined && known.counts.size >= MAX_FOLLOWERS) {
      const [least] = [...known.counts].reduce((a, b) => (b[1] < a[1] ? b : a));
      known.counts.delete(least);
    }
    known.counts.set(key, (count ?? 0) + 1);
  }
}

/** Part of the reads that were foreseen with a confidence of at least `minConfidence`. */
export function predictableShareOf({ reads }: Workload, minConfidence = 0.5): number {
  const successors = new Successors();
  let foreseen = 0;
  let expected = -1;
  for (const key of reads) {
    if (key === expected) foreseen += 1;
    successors.add(key);
    const next = successors.predict(key);
    expected = next !== undefined && next.confidence >= minConfidence ? next.key : -1;
  }
  return reads.length === 0 ? 0 : foreseen / reads.length;
}
