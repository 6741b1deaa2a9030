import { type Bucket, refill, waitUs } from './bucket.js';
import type { RatePolicy } from './rate-policy.js';

/** Requests that a process takes out of a shared bucket, and what it settles of those before. */
export interface Take {
  readonly key: string;
  readonly policy: RatePolicy;
  /** Requests that wait for an answer now. */
  readonly need: number;
  /** Most requests to be held in reserve for those that come next. */
  readonly want: number;
  /** The reserve is at most this part of what is left: 64 stands for a 64th. */
  readonly part: number;
  /** Reserve that is used up or given back, in the epoch in which it was granted; 0 is none. */
  readonly settledEpoch: number;
  readonly settled: number;
  /** So many of the settled were not used. */
  readonly returned: number;
  /** Requests that were let through without the store, while it was away. */
  readonly debt: number;
}

export interface Grant {
  /** Of those that wait, so many may go. */
  readonly granted: number;
  /** Held in reserve. */
  readonly reserve: number;
  /** In which the reserve was granted. */
  readonly epoch: number;
  /** What is left to others after this. */
  readonly available: number;
  /** When somebody was refused: time until one request has come back. */
  readonly waitUs: number;
}

/**
 * A reserve counts as held until the end of the epoch after the one in which it was granted; its
 * holder stops using it within an epoch. So a process that dies does no harm for longer.
 */
export const EPOCH_US = 10_000_000;

/**
 * A bucket of which some requests are held in reserve by processes. What is held might be used at any
 * moment and is still inside the bucket as it were, so the bucket never fills up beyond what the
 * reserves leave: `deficit ≥ held`. Therefore the requests let through in any span of time stay
 * within capacity and refill, whenever the reserves are used.
 */
export interface HeldBucket extends Bucket {
  epoch: number;
  /** Held since this epoch. */
  held: number;
  /** Held since the epoch before. */
  heldBefore: number;
}

export function fullBucket(nowUs: number): HeldBucket {
  return { deficit: 0, atUs: nowUs, epoch: epochAt(nowUs), held: 0, heldBefore: 0 };
}

export function epochAt(nowUs: number): number {
  return Math.floor(nowUs / EPOCH_US);
}

/** What stores do at each take, all at once. The scripts of Redis and PostgreSQL do the same. */
export function take(bucket: HeldBucket, request: Take, nowUs: number): Grant {
  const { policy } = request;
  advance(bucket, policy, nowUs);
  settle(bucket, request);
  const { cellUnits, capacityUnits } = policy;
  bucket.deficit = Math.max(
    bucket.deficit,
    Math.min(capacityUnits, bucket.deficit + request.debt * cellUnits),
  );
  const available = Math.max(0, Math.floor((capacityUnits - bucket.deficit) / cellUnits));
  const granted = Math.min(request.need, available);
  const reserve = Math.min(request.want, Math.floor((available - granted) / request.part));
  bucket.deficit += (granted + reserve) * cellUnits;
  bucket.held += reserve;
  const missing = bucket.deficit + cellUnits - capacityUnits;
  return {
    granted,
    reserve,
    epoch: bucket.epoch,
    available: available - granted - reserve,
    waitUs: granted < request.need ? waitUs(missing, policy) : 0,
  };
}

/** Lets time pass in steps that end where reserves lapse. */
function advance(bucket: HeldBucket, policy: RatePolicy, nowUs: number): void {
  const epoch = epochAt(nowUs);
  for (let step = 0; step < 2 && bucket.epoch < epoch; step += 1) {
    const endUs = (bucket.epoch + 1) * EPOCH_US;
    refill(bucket, policy, endUs, (bucket.held + bucket.heldBefore) * policy.cellUnits);
    bucket.epoch += 1;
    bucket.heldBefore = bucket.held;
    bucket.held = 0;
  }
  bucket.epoch = Math.max(bucket.epoch, epoch);
  refill(bucket, policy, nowUs, (bucket.held + bucket.heldBefore) * policy.cellUnits);
}

function settle(bucket: HeldBucket, { settledEpoch, settled, returned, policy }: Take): void {
  let isHeld = true;
  // The store may have lost its state in between; it then holds less than is settled.
  if (settledEpoch === bucket.epoch && settled <= bucket.held) bucket.held -= settled;
  else if (settledEpoch === bucket.epoch - 1 && settled <= bucket.heldBefore) {
    bucket.heldBefore -= settled;
  } else isHeld = false;
  if (isHeld) bucket.deficit -= returned * policy.cellUnits;
}
