import { EvictionPolicy } from '../eviction-policy.js';
import { NO_SLOT, SlotLinks, SlotList } from '../slot-list.js';
import { grown, type SlotTable } from '../slot-table.js';

/**
 * Least frequently used, exact and in constant time (Shah, Mitra, Matani 2010): entries with the
 * same number of uses form a bucket, buckets form a chain in order of that number. Among equals the
 * one used longest ago goes. Counts live as long as their entry and do not age; take W-TinyLFU
 * where what was popular stops being so.
 */
export class LfuPolicy extends EvictionPolicy {
  override readonly name = 'lfu';
  private readonly links: SlotLinks;
  /** The bucket of each slot. There are never more buckets than slots, plus one while moving. */
  private bucketOf: Uint32Array;
  private buckets: Bucket[] = [];
  private readonly freeBuckets: Bucket[] = [];
  private first: Bucket | undefined;

  constructor(table: SlotTable) {
    super(table);
    this.links = new SlotLinks(table);
    this.bucketOf = new Uint32Array(table.slots);
  }

  override reserve(slots: number): void {
    this.links.reserve(slots);
    this.bucketOf = grown(this.bucketOf, slots);
  }

  override insert(slot: number): void {
    const bucket = this.first?.uses === 1 ? this.first : this.bucketAfter(undefined, 1);
    this.put(slot, bucket);
  }

  override hit(slot: number): void {
    const bucket = this.bucket(slot);
    const uses = bucket.uses + 1;
    const above = bucket.next?.uses === uses ? bucket.next : undefined;
    if (above === undefined && bucket.list.length === 1) {
      bucket.uses = uses;
      return;
    }
    const target = above ?? this.bucketAfter(bucket, uses);
    this.take(slot, bucket);
    this.put(slot, target);
  }

  override reweigh(slot: number, newWeight: number): void {
    this.bucket(slot).list.bytes += newWeight - (this.table.weights[slot] as number);
  }

  override remove(slot: number): void {
    this.take(slot, this.bucket(slot));
  }

  override evict(): number {
    const bucket = this.first;
    const slot = bucket?.list.head ?? NO_SLOT;
    if (bucket !== undefined) this.take(slot, bucket);
    return slot;
  }

  override *order(): Generator<number> {
    for (let bucket = this.first; bucket !== undefined; bucket = bucket.next) yield* bucket.list;
  }

  override clear(): void {
    this.buckets = [];
    this.freeBuckets.length = 0;
    this.first = undefined;
  }

  private bucket(slot: number): Bucket {
    return this.buckets[this.bucketOf[slot] as number] as Bucket;
  }

  private put(slot: number, bucket: Bucket): void {
    this.bucketOf[slot] = bucket.index;
    bucket.list.push(slot);
  }

  private take(slot: number, bucket: Bucket): void {
    bucket.list.remove(slot);
    if (bucket.list.length > 0) return;
    if (bucket.previous === undefined) this.first = bucket.next;
    else bucket.previous.next = bucket.next;
    if (bucket.next !== undefined) bucket.next.previous = bucket.previous;
    this.freeBuckets.push(bucket);
  }

  private bucketAfter(previous: Bucket | undefined, uses: number): Bucket {
    let bucket = this.freeBuckets.pop();
    if (bucket === undefined) {
      bucket = new Bucket(this.buckets.length, new SlotList(this.links));
      this.buckets.push(bucket);
    }
    bucket.uses = uses;
    bucket.previous = previous;
    bucket.next = previous === undefined ? this.first : previous.next;
    if (bucket.next !== undefined) bucket.next.previous = bucket;
    if (previous === undefined) this.first = bucket;
    else previous.next = bucket;
    return bucket;
  }
}

class Bucket {
  uses = 0;
  previous: Bucket | undefined = undefined;
  next: Bucket | undefined = undefined;

  constructor(
    readonly index: number,
    readonly list: SlotList,
  ) {}
}
