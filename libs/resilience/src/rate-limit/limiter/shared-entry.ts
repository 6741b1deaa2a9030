import type { Bucket, Verdict } from '../gcra/bucket.js';

/** First size of a reserve. */
const FIRST_WANT = 32;

/** What this process knows of a budget that all share. */
export class SharedEntry implements Bucket {
  /** Requests in reserve, and until when they may be used. */
  reserve = 0;
  reserveUntilUs = 0;
  /** What is in reserve by limits that are not in force any more: given back, not used. */
  outdated = 0;
  /** What was granted as that reserve, and in which epoch; 0 when nothing has to be settled. */
  granted = 0;
  epoch = 0;
  grantedAtUs = 0;
  want = FIRST_WANT;
  /** Refused until then as far as is known, and until when that is not asked again. */
  refusedUntilUs = 0;
  askAgainUs = 0;
  /** Refused since the store was asked last. */
  hunger = 0;
  refused = 0;
  /** What was left to all at the last answer. */
  left = -1;
  leftAtUs = 0;
  isAsking = false;
  waiting: ((verdict: Verdict) => void)[] = [];
  /** Whether there is something in the bucket of this process alone, which counts in an outage. */
  isAlone = false;
  deficit = 0;
  atUs = 0;
  /** Let through by that bucket; the store is told when it is back. */
  debt = 0;
  /** What was in reserve when it was looked at last. */
  reserveSeen = -1;

  constructor(readonly key: string) {}
}
