import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '#libs/core';
import type { Answer } from './answer.js';
import type { CacheCore } from './cache-core.js';
import type { Flight } from './flight.js';

const LEASE_POLL_MS = 20;

/** What waiting came to: an answer that another process has stored, else the turn of this one. */
interface LeaseTurn {
  readonly answer?: Answer;
  /** Gives the lease back; absent when this process loads without one. */
  readonly release?: () => Promise<void>;
}

/** Has one process after the other load a key. */
export class LeaseTurns {
  private readonly owner = newId();

  constructor(private readonly core: CacheCore) {}

  /**
   * Waits until this process may load, or another one has stored what it loaded. Who has it for longer
   * than a loader may take does not keep others from loading too.
   */
  async wait(
    flight: Flight,
    find: () => Promise<Answer | undefined>,
    timeoutMs = Number.POSITIVE_INFINITY,
  ): Promise<LeaseTurn> {
    const { leases } = this.core.hub;
    if (leases === undefined) return {};
    const { store, gate, leaseMs } = leases;
    const name = this.core.fullKey(flight.key);
    const owner = `${this.owner}:${newId()}`;
    const untilMs = this.core.hub.clock.monotonicMs() + timeoutMs;
    const release = async (): Promise<void> => {
      await gate.call('release', () => store.release(name, owner));
    };
    for (let isFirst = true; ; isFirst = false) {
      const reply = await gate.call('acquire', () => store.acquire(name, owner, leaseMs));
      // Without leases every process loads for itself.
      if (!reply.ok) return {};
      // Between the first look and the lease another process may have stored it.
      const answer = await find();
      if (answer !== undefined) {
        if (reply.value) await release();
        return { answer };
      }
      if (reply.value) return { release };
      if (this.core.hub.clock.monotonicMs() >= untilMs) return {};
      await sleep(isFirst ? LEASE_POLL_MS / 2 : LEASE_POLL_MS * (0.5 + Math.random()));
    }
  }
}
