import type { RatePolicy } from '../gcra/rate-policy.js';

/**
 * The most requests that any span of time had beyond `capacity + refill × time / period`, reckoned
 * without rounding; 0 or less says that the limit was kept. `allowedUs` are times in their order.
 */
export function worstExcess(allowedUs: readonly number[], policy: RatePolicy): number {
  // In a span from the i-th to the j-th are j - i + 1 requests: the excess is f(j) - f(i) + 1 - capacity
  // with f(n) = n - refill × time(n), so the smallest f so far is all that has to be kept.
  const { cellUnits, refill, capacity } = policy;
  let smallest: bigint | undefined;
  let worst = -BigInt(capacity) * BigInt(cellUnits);
  for (const [index, us] of allowedUs.entries()) {
    const f = BigInt(index) * BigInt(cellUnits) - BigInt(us) * BigInt(refill);
    if (smallest === undefined || f < smallest) smallest = f;
    const excess = f - smallest + BigInt(cellUnits) * BigInt(1 - capacity);
    if (excess > worst) worst = excess;
  }
  return Number(worst) / cellUnits;
}
