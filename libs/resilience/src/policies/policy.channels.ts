import { eventChannel } from '#libs/core';

/** Closed: calls go through. Open: none do. Half-open: one does, to see. Isolated: held open by hand. */
export type CircuitState = 'closed' | 'half-open' | 'open' | 'isolated';

export interface CircuitChange {
  /** The policy that the breaker is part of. */
  readonly name: string;
  readonly before: CircuitState;
  readonly state: CircuitState;
  /** Of an open one: until it lets the next probe through. */
  readonly openMs?: number;
  /** What has opened it. */
  readonly error?: unknown;
}

/** Every change of a breaker. */
export const circuitChanged = eventChannel<CircuitChange>('pantheon.resilience.circuit');
