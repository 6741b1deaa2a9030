import { EvictionPolicy } from '../eviction-policy.js';
import { SlotLinks, SlotList } from '../slot-list.js';
import type { SlotTable } from '../slot-table.js';

/** First in, first out: a hit changes nothing. */
export class FifoPolicy extends EvictionPolicy {
  override readonly name: string = 'fifo';
  override readonly maxUses: number | undefined = 0;
  protected readonly links: SlotLinks;
  protected readonly queue: SlotList;

  constructor(table: SlotTable) {
    super(table);
    this.links = new SlotLinks(table);
    this.queue = new SlotList(this.links);
  }

  override reserve(slots: number): void {
    this.links.reserve(slots);
  }

  override insert(slot: number): void {
    this.queue.push(slot);
  }

  override hit(_slot: number): void {
    // The order is that of arrival.
  }

  override reweigh(slot: number, newWeight: number): void {
    this.queue.bytes += newWeight - (this.table.weights[slot] as number);
  }

  override remove(slot: number): void {
    this.queue.remove(slot);
  }

  override evict(): number {
    return this.queue.shift();
  }

  override order(): Iterable<number> {
    return this.queue;
  }

  override clear(): void {
    this.queue.clear();
  }
}
