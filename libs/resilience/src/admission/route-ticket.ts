import type { Lane } from './lane.js';
import type { RouteLatency } from './route-latency.js';

/** What admission knows of the requests of a route in one class. One object serves them all. */
export interface RouteTicket {
  readonly lane: Lane;
  /** The same for all classes of a route. */
  readonly latency: RouteLatency;
}
