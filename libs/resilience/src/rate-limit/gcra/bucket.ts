import type { RatePolicy } from './rate-policy.js';

/**
 * State of a limit in the form of the continuous-state leaky bucket of the generic cell rate
 * algorithm (ITU-T I.371, annex A): what is missing to a full bucket, and when that was so.
 */
export interface Bucket {
  /** Units that are missing; 0 is a full bucket. */
  deficit: number;
  /** Microseconds of a clock that does not step back. */
  atUs: number;
}

/**
 * Outcome of a request as one number, so that nothing is allocated for it: 0 or more is allowed, with
 * so many left; less is refused, and comes back after so many microseconds.
 */
export type Verdict = number;

/** Lets time pass. At least `floorUnits` stay missing. */
export function refill(bucket: Bucket, policy: RatePolicy, nowUs: number, floorUnits = 0): void {
  const elapsedUs = nowUs - bucket.atUs;
  if (elapsedUs <= 0) return;
  bucket.atUs = nowUs;
  // A product beyond 2^53 is inexact and larger than any deficit all the same.
  const gained = elapsedUs * policy.refill;
  bucket.deficit = gained >= bucket.deficit - floorUnits ? floorUnits : bucket.deficit - gained;
}

/** Takes one request out of the bucket, or says when there will be one. */
export function spend(bucket: Bucket, policy: RatePolicy, nowUs: number): Verdict {
  refill(bucket, policy, nowUs);
  const left = policy.capacityUnits - bucket.deficit - policy.cellUnits;
  if (left < 0) return -waitUs(-left, policy);
  bucket.deficit += policy.cellUnits;
  return Math.floor(left / policy.cellUnits);
}

/** Time in which so many units come back; at least a microsecond. */
export function waitUs(units: number, policy: RatePolicy): number {
  return Math.max(1, Math.ceil(units / policy.refill));
}
