import { FifoPolicy } from './fifo.policy.js';

/** Least recently used: exact, by a list that each hit reorders. */
export class LruPolicy extends FifoPolicy {
  override readonly name: string = 'lru';
  override readonly maxUses = undefined;

  override hit(slot: number): void {
    this.queue.renew(slot);
  }
}
