// One class of over 300 lines: a hit reads its fields directly, which parts would hide behind calls.
import { randomInt } from 'node:crypto';
import { SystemClock } from '#libs/core';
import { coarseClockOf } from './coarse-clock.js';
import { CacheLimitInvalidError } from './errors/cache-limit-invalid.error.js';
import type { EvictionPolicy, EvictionPolicyFactory } from './eviction-policy.js';
import { ExpiryTable, NEVER } from './expiry-table.js';
import { hashKey } from './key-hash.js';
import type {
  MemoryEntry,
  MemorySetOptions,
  MemoryStoreOptions,
  MemoryStoreStats,
  RemovalListener,
  RemovalReason,
} from './memory-store.types.js';
import { NO_SLOT } from './slot-list.js';
import { S3FifoPolicy } from './policies/s3-fifo.policy.js';
import { sizeOf, stringBytes } from './sizer.js';
import type { SlotColumns } from './slot-columns.js';
import { SlotTable } from './slot-table.js';
import { ceil, max, min } from './integer-math.js';

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
/** Bytes an entry costs beyond key and value: map, slots, S3-FIFO (`npm run bench:l1`). */
const ENTRY_OVERHEAD_BYTES = 140;
const MAX_WEIGHT = 2 ** 32 - 1;
const FIRST_SLOTS = 16;
/** Slots that each newcomer looks through for expired entries. */
const SWEPT_PER_INSERT = 2;
/** Hits, less one, after which the coarse clock is read anew, whatever the event loop does. */
const REFRESH_MASK = 0xff;
/** A store that fills less than this part of its slots after shrinking is packed anew. */
const PACKED_SHARE = 0.25;

const systemClock = new SystemClock();
const processSeed = randomInt(2 ** 32);

/**
 * The first level of the cache: values as they are, in this process, bounded by entries and by
 * bytes. The bounds hold at every moment, also while an entry is being put in.
 *
 * A hit costs a look-up in a `Map`, a comparison with a clock that is read from a field, and a
 * count; nothing is allocated. An expired entry is served no longer than the resolution of the
 * clock plus the time that synchronous code holds the event loop, and no more than 256 times.
 * Expired entries leave when they are asked for, when newcomers come by, or by `sweep`.
 *
 * `undefined` is no value: it is how a miss looks.
 */
export class MemoryStore<Value> {
  /** Called for each entry that leaves; costs nothing while it is not set. */
  onRemoval: RemovalListener<Value> | undefined;
  private readonly slots = new Map<string, number>();
  private table: SlotTable;
  private policy: EvictionPolicy;
  /** Of the policy; -1 when it is to be told of each hit. */
  private readonly maxUses: number;
  private values: (Value | undefined)[] = [];
  private readonly expiry: ExpiryTable;
  private bytes = 0;
  private hits = 0;
  private misses = 0;
  private sets = 0;
  private rejected = 0;
  private readonly removed = { size: 0, expired: 0, deleted: 0 };
  private readonly hashSeed: number;
  private readonly makePolicy: EvictionPolicyFactory;
  private readonly sizer: (value: Value) => number;

  /** `columns` are told what becomes of the slots, for owners that keep more of an entry. */
  constructor(
    options: MemoryStoreOptions<Value> = {},
    private readonly columns?: SlotColumns,
  ) {
    const maxItems = checked('maxItems', options.maxItems ?? Number.POSITIVE_INFINITY);
    const maxBytes = checked('maxBytes', options.maxBytes ?? DEFAULT_MAX_BYTES);
    const clock = coarseClockOf(options.clock ?? systemClock, options.clockResolutionMs ?? 10);
    this.makePolicy = options.policy ?? ((table) => new S3FifoPolicy(table));
    this.sizer = options.sizer ?? sizeOf;
    this.hashSeed = options.hashSeed ?? processSeed;
    this.table = new SlotTable(slotsFor(FIRST_SLOTS, maxItems), { maxItems, maxBytes });
    this.policy = this.makePolicy(this.table);
    this.maxUses = this.policy.maxUses ?? -1;
    this.expiry = new ExpiryTable(clock, this.table.slots);
    this.values.length = this.table.slots;
    columns?.reserve(this.table.slots);
  }

  /** Number of entries, with expired ones that have not left yet. */
  get size(): number {
    return this.slots.size;
  }

  /** Whether there is room for anything at all. */
  get isOff(): boolean {
    return this.table.maxItems < 1;
  }

  /** When the entries end, by slot; undefined while none does. */
  get ends(): Float64Array | undefined {
    return this.expiry.times;
  }

  /** The value; `undefined` when there is none or it has expired. Counts as a use. */
  get(key: string): Value | undefined {
    const slot = this.find(key);
    return slot === undefined ? undefined : this.use(slot);
  }

  /** Where the entry lies, expired or not; until the next change of the store. */
  slotOf(key: string): number | undefined {
    return this.slots.get(key);
  }

  /** Where the entry lies if it has not expired; what has leaves. A miss is counted. */
  find(key: string): number | undefined {
    const slot = this.slots.get(key);
    const { times, clock } = this.expiry;
    // While the coarse clock rests it is later than everything; `isOver` starts it.
    const isThere =
      slot !== undefined &&
      (times === undefined || (times[slot] as number) > clock.nowMs || !this.expiry.isOver(slot));
    if (isThere) return slot;
    this.misses += 1;
    if (slot !== undefined) this.drop(slot, 'expired');
    return undefined;
  }

  /** The value at a slot that `find` or `slotOf` has given; counts as a use. */
  use(slot: number): Value | undefined {
    this.hits += 1;
    if ((this.hits & REFRESH_MASK) === 0) this.expiry.clock.refresh();
    this.countUse(slot);
    return this.values[slot];
  }

  /** As `use`, without one. */
  valueAt(slot: number): Value | undefined {
    return this.values[slot];
  }

  isOver(slot: number): boolean {
    return this.expiry.isOver(slot);
  }

  /** The entry, without counting a use. */
  peek(key: string): MemoryEntry<Value> | undefined {
    const slot = this.slots.get(key);
    return slot === undefined || this.expiry.isOver(slot) ? undefined : this.entryAt(slot);
  }

  /** Whether the key is there and has not expired, without counting a use. */
  has(key: string): boolean {
    const slot = this.slots.get(key);
    return slot !== undefined && !this.expiry.isOver(slot);
  }

  /**
   * Puts a value in, evicting others where needed. False when it is larger than the whole store or
   * has expired already; an older value of the key is gone then too.
   */
  set(key: string, value: Value, options?: MemorySetOptions): boolean {
    const weightBytes = options?.weightBytes ?? this.sizer(value);
    return this.put(key, value, weightBytes, this.expiryOf(options)) >= 0;
  }

  /**
   * As `set`, with the bytes of the value and the moment at which it ends. Where it lies then; -1
   * when it was not stored.
   */
  put(key: string, value: Value, valueBytes: number, endsAtMs: number): number {
    const { table } = this;
    const weight = ENTRY_OVERHEAD_BYTES + stringBytes(key) + ceil(valueBytes);
    const known = this.slots.get(key);
    const isTooLarge = weight > table.maxBytes || weight > MAX_WEIGHT || table.maxItems < 1;
    if (isTooLarge || this.expiry.isPast(endsAtMs)) {
      if (isTooLarge) this.rejected += 1;
      if (known !== undefined) this.drop(known, isTooLarge ? 'size' : 'expired');
      return NO_SLOT;
    }
    this.sets += 1;
    if (known !== undefined && this.makeRoomFor(known, weight)) {
      this.replace(known, value, weight);
      this.expiry.set(known, endsAtMs);
      return known;
    }
    if (this.expiry.times !== undefined) this.sweep(SWEPT_PER_INSERT);
    while (this.slots.size >= table.maxItems || this.bytes + weight > table.maxBytes) {
      this.release(this.policy.evict(), 'size');
    }
    const slot = this.insert(key, value, weight);
    this.expiry.set(slot, endsAtMs);
    return slot;
  }

  /** Whether the key was there and had not expired. */
  delete(key: string): boolean {
    const slot = this.slots.get(key);
    if (slot === undefined) return false;
    const wasAlive = !this.expiry.isOver(slot);
    this.drop(slot, wasAlive ? 'deleted' : 'expired');
    return wasAlive;
  }

  /** Removes everything; policies that learn keep what they have learnt. */
  clear(): void {
    const { onRemoval, values } = this;
    const gone = onRemoval === undefined ? [] : [...this.slots];
    this.removed.deleted += this.slots.size;
    this.slots.clear();
    this.values = [];
    this.values.length = this.table.slots;
    this.bytes = 0;
    this.columns?.clear();
    this.table.giveAll();
    this.expiry.reset(this.table.slots);
    this.policy.clear();
    for (const [key, slot] of gone) onRemoval?.(key, values[slot] as Value, 'deleted');
  }

  /** Removes expired entries, looking at `maxSlots` slots at most; their number. */
  sweep(maxSlots = Number.POSITIVE_INFINITY): number {
    const before = this.removed.expired;
    this.expiry.sweep(maxSlots, this.table.usedSlots, (slot) => this.drop(slot, 'expired'));
    return this.removed.expired - before;
  }

  /** Changes the bounds; what no longer fits leaves at once. */
  resize(limits: { readonly maxItems?: number; readonly maxBytes?: number }): void {
    const { table } = this;
    const maxItems = checked('maxItems', limits.maxItems ?? table.maxItems);
    table.maxBytes = checked('maxBytes', limits.maxBytes ?? table.maxBytes);
    table.maxItems = maxItems;
    while (this.slots.size > table.maxItems || this.bytes > table.maxBytes) {
      this.release(this.policy.evict(), 'size');
    }
    const isSparse = table.slots > FIRST_SLOTS && this.slots.size < table.slots * PACKED_SHARE;
    if (isSparse || table.slots > table.maxItems) this.pack();
  }

  /** What has not expired, in no particular order. */
  *entries(): Generator<[key: string, entry: MemoryEntry<Value>]> {
    for (const [key, slot] of this.slots) {
      if (!this.expiry.isOver(slot)) yield [key, this.entryAt(slot)];
    }
  }

  stats(): MemoryStoreStats {
    return {
      items: this.slots.size,
      bytes: this.bytes,
      maxItems: this.table.maxItems,
      maxBytes: this.table.maxBytes,
      hits: this.hits,
      misses: this.misses,
      sets: this.sets,
      rejected: this.rejected,
      removed: { ...this.removed },
      policy: this.policy.name,
      policyState: this.policy.describe(),
    };
  }

  private entryAt(slot: number): MemoryEntry<Value> {
    return {
      value: this.values[slot] as Value,
      expiresAtMs: this.expiry.at(slot),
      weightBytes: this.table.weights[slot] as number,
    };
  }

  private expiryOf({ ttlMs, expiresAtMs }: MemorySetOptions = {}): number {
    if (expiresAtMs !== undefined) return expiresAtMs;
    return ttlMs === undefined || ttlMs === NEVER ? NEVER : this.expiry.clock.wake() + ttlMs;
  }

  private countUse(slot: number): void {
    const { maxUses } = this;
    if (maxUses < 0) {
      this.policy.hit(slot);
      return;
    }
    const { uses } = this.table;
    const used = uses[slot] as number;
    if (used < maxUses) uses[slot] = used + 1;
  }

  /** Evicts until the entry may weigh so much; false when it had to leave itself. */
  private makeRoomFor(slot: number, weight: number): boolean {
    const { table } = this;
    const growth = weight - (table.weights[slot] as number);
    while (this.bytes + growth > table.maxBytes) {
      const victim = this.policy.evict();
      if (victim === slot) {
        // It comes back as a newcomer: its old value is replaced, not removed.
        this.vacate(slot);
        return false;
      }
      this.release(victim, 'size');
    }
    return true;
  }

  private replace(slot: number, value: Value, weight: number): void {
    const { table } = this;
    const growth = weight - (table.weights[slot] as number);
    if (growth !== 0) {
      this.policy.reweigh(slot, weight);
      table.weights[slot] = weight;
      this.bytes += growth;
    }
    this.values[slot] = value;
    this.countUse(slot);
  }

  private insert(key: string, value: Value, weight: number): number {
    const slot = this.takeSlot();
    const { table } = this;
    this.slots.set(key, slot);
    this.values[slot] = value;
    this.bytes += weight;
    table.keys[slot] = key;
    table.weights[slot] = weight;
    if (this.policy.usesHashes) table.hashes[slot] = hashKey(key, this.hashSeed);
    this.policy.insert(slot);
    return slot;
  }

  private drop(slot: number, reason: RemovalReason): void {
    this.policy.remove(slot);
    this.release(slot, reason);
  }

  private release(slot: number, reason: RemovalReason): void {
    const key = this.table.keys[slot] as string;
    const value = this.values[slot] as Value;
    this.vacate(slot);
    this.removed[reason] += 1;
    this.onRemoval?.(key, value, reason);
  }

  private vacate(slot: number): void {
    const { table } = this;
    this.slots.delete(table.keys[slot] as string);
    table.keys[slot] = undefined;
    this.values[slot] = undefined;
    this.bytes -= table.weights[slot] as number;
    this.expiry.set(slot, NEVER);
    this.columns?.vacate(slot);
    table.give(slot);
  }

  private takeSlot(): number {
    const { table } = this;
    const slot = table.take();
    if (slot >= 0) return slot;
    const slots = min(table.maxItems, table.slots * 2);
    table.grow(slots);
    this.policy.reserve(slots);
    this.expiry.reserve(slots);
    this.values.length = slots;
    this.columns?.reserve(slots);
    return table.take();
  }

  /** Moves the entries to the slots 0, 1, …, and gives the memory of the others back. */
  private pack(): void {
    const { table, values, expiry, makePolicy } = this;
    const order = [...this.policy.order()];
    const packed = new SlotTable(slotsFor(order.length, table.maxItems), table);
    const times = order.map((slot) => expiry.at(slot));
    expiry.reset(packed.slots);
    this.values = order.map((slot) => values[slot]);
    this.values.length = packed.slots;
    this.columns?.pack(order, packed.slots);
    for (const from of order) {
      const to = packed.take();
      const key = table.keys[from] as string;
      packed.keys[to] = key;
      packed.weights[to] = table.weights[from] as number;
      packed.hashes[to] = table.hashes[from] as number;
      expiry.set(to, times[to] as number);
      this.slots.set(key, to);
    }
    this.table = packed;
    this.policy = makePolicy(packed);
    this.policy.adopt(order.keys());
  }
}

/** What is no number would bound nothing. Parts of entries do not exist. */
function checked(limit: 'maxItems' | 'maxBytes', value: number): number {
  if (value >= 0) return Math.floor(value);
  throw new CacheLimitInvalidError(limit, value);
}

/** Slots for a number of entries: never none, never more than there may be entries. */
function slotsFor(entries: number, maxItems: number): number {
  return max(1, min(maxItems, max(FIRST_SLOTS, entries)));
}
