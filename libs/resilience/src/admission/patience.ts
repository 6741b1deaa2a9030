import type { AdmissionSettings } from './admission.settings.js';
import type { Lane } from './lane.js';
import type { RouteTicket } from './route-ticket.js';

/** A route that is too quick to be measured is waited for this long at least … */
const SHORTEST_WAIT_MS = 1;
/** … and everybody for so many turns of the event loop: should nobody come in the next one, it is theirs. */
const SHORTEST_WAIT_TURNS = 1.25;
/** Demand beyond what can be served that is told from none. */
const LEAST_EXCESS = 0.1;

/**
 * How long a newcomer will wait in a burst, by Little's law: those before it, by how many go to work
 * in a millisecond. In overload it is the first one to be served.
 */
export function expectedWaitMs({ line, detector }: Lane): number {
  const rate = detector.ratePerMs;
  return rate === undefined || detector.isOverloaded ? 0 : line.size / rate;
}

/**
 * How long a request may wait for its turn. In overload it is so short that those who are served are
 * served quickly; but somewhat longer where little more is asked than can be served, else there would at
 * times be nobody to serve.
 */
export function longestWaitMs(
  { lane: { detector }, latency }: RouteTicket,
  { maxQueueWaitMs, overloadedWaitRatio }: AdmissionSettings,
  loopTurnMs: number,
): number {
  if (!detector.isOverloaded) return maxQueueWaitMs;
  const usualMs = latency.usualMs ?? maxQueueWaitMs;
  const excess = Math.max(detector.demand - 1, LEAST_EXCESS);
  const waitMs = usualMs * overloadedWaitRatio * Math.max(1, 1 / excess ** 2);
  const shortestMs = Math.max(SHORTEST_WAIT_MS, loopTurnMs * SHORTEST_WAIT_TURNS);
  return Math.min(maxQueueWaitMs, Math.max(shortestMs, waitMs));
}
