import type { Flight } from './flight.js';

/** The epoch of one key, and who looks it up, kept while somebody works on it. */
export class KeyGuard {
  epoch = 0;
  holders = 0;
  /** The look-up that callers can join. */
  flight: Flight | undefined;
  /** Writes of this process to levels that cannot refuse an outdated one; see `settled`. */
  writes: Set<Promise<unknown>> | undefined;

  constructor(readonly key: string) {}
}

/**
 * Tells work on a key that the key was invalidated meanwhile. A guard exists only while it is held,
 * so memory follows the work that is under way and not the number of keys.
 */
export class KeyGuards {
  private readonly guards = new Map<string, KeyGuard>();

  /** Keys that are worked on. */
  get size(): number {
    return this.guards.size;
  }

  hold(key: string): KeyGuard {
    let guard = this.guards.get(key);
    if (guard === undefined) {
      guard = new KeyGuard(key);
      this.guards.set(key, guard);
    }
    guard.holders += 1;
    return guard;
  }

  release(guard: KeyGuard): void {
    guard.holders -= 1;
    if (guard.holders === 0) this.guards.delete(guard.key);
  }

  /** The look-up of the key that is under way, if it was not invalidated since. */
  flightOf(key: string): Flight | undefined {
    return this.guards.size === 0 ? undefined : this.guards.get(key)?.flight;
  }

  /** Tells that the key was invalidated; later callers do not join who looks it up. */
  invalidate(key: string): void {
    const guard = this.guards.get(key);
    if (guard !== undefined) moved(guard);
  }

  invalidateAll(): void {
    for (const guard of this.guards.values()) moved(guard);
  }

  /** Resolves when what is being written for the key now has been written or refused. */
  settled(key: string): Promise<unknown> | undefined {
    const writes = this.guards.get(key)?.writes;
    return writes === undefined || writes.size === 0 ? undefined : Promise.allSettled(writes);
  }
}

function moved(guard: KeyGuard): void {
  guard.epoch += 1;
  guard.flight = undefined;
}
