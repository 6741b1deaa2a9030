import type { PoolDemand, Times } from './pool-monitor.js';

export interface PoolSizeAdvice {
  /** Connections that the demand asks for, within the bounds. */
  readonly size: number;
  readonly isChange: boolean;
  /** In words, with the figures that it follows from. */
  readonly reason: string;
  readonly evidence: PoolDemand & { readonly waitP95Ms: number };
}

export interface PoolBounds {
  readonly min: number;
  readonly max: number;
}

/** Fewer arrivals say nothing about a size. */
const FEW_ARRIVALS = 100;
/** Of the most that were in use at once. */
const PEAK_ROOM = 1.2;
/** A difference of one connection is not worth a change. */
const SMALL = 1;

/**
 * How many connections a pool needs. Little's law gives how many are in use on average, arrivals per
 * second × seconds held. To that comes room for what arrives together: three times the square root,
 * the rule of square-root staffing (Halfin and Whitt, 1981), at which hardly a caller waits; and never
 * less than a fifth more than were in use at once, for a mean says nothing of a burst.
 */
export function advisePoolSize(
  current: number,
  demand: PoolDemand,
  waits: Times,
  { min, max }: PoolBounds,
): PoolSizeAdvice {
  const evidence = { ...demand, waitP95Ms: waits.p95Ms };
  const arrivals = Math.round(demand.arrivalsPerSecond * demand.seconds);
  if (arrivals < FEW_ARRIVALS) {
    const reason = `Only ${arrivals} connections were taken in ${demand.seconds} s; that says nothing about a size.`;
    return { size: current, isChange: false, reason, evidence };
  }
  const mean = demand.meanBusy;
  const needed = Math.ceil(Math.max(mean + 3 * Math.sqrt(mean), PEAK_ROOM * demand.peakBusy)) + 1;
  const size = Math.min(max, Math.max(min, needed));
  const bounded = size === needed ? '' : `, held to ${size} by the bounds of ${min} to ${max}`;
  return {
    size,
    isChange: Math.abs(size - current) > SMALL,
    reason:
      `${demand.arrivalsPerSecond.toFixed(1)} times a second a connection is taken and held for ` +
      `${demand.meanHoldMs.toFixed(1)} ms, so ${mean.toFixed(2)} are in use on average and ${demand.peakBusy} at most; with room for ` +
      `what comes together that makes ${needed}${bounded}. Now there may be ${current}.`,
    evidence,
  };
}
