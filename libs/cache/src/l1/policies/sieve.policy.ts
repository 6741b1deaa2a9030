import { NO_SLOT } from '../slot-list.js';
import { FifoPolicy } from './fifo.policy.js';

/**
 * SIEVE (Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024): a queue in order of arrival and a
 * hand that walks from old to young, spares what was hit since it last came by, and takes the
 * first that was not. Survivors keep their place, so that newcomers are tried first.
 */
export class SievePolicy extends FifoPolicy {
  override readonly name = 'sieve';
  /** One bit: the paper's `visited`. */
  override readonly maxUses = 1;
  private hand = NO_SLOT;

  override insert(slot: number): void {
    this.table.uses[slot] = 0;
    super.insert(slot);
  }

  override remove(slot: number): void {
    if (slot === this.hand) this.hand = this.links.next[slot] as number;
    super.remove(slot);
  }

  override evict(): number {
    const { links, queue } = this;
    const { uses } = this.table;
    let slot = this.hand === NO_SLOT ? queue.head : this.hand;
    while (uses[slot] === 1) {
      uses[slot] = 0;
      const next = links.next[slot] as number;
      slot = next === NO_SLOT ? queue.head : next;
    }
    this.hand = links.next[slot] as number;
    queue.remove(slot);
    return slot;
  }

  override clear(): void {
    super.clear();
    this.hand = NO_SLOT;
  }
}
