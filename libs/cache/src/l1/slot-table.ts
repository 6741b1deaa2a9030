/** What bounds a cache; either may be `Infinity`. */
export interface CacheLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
}

/**
 * What a cache keeps about its entries by slot number, shared by the store and its policy, so that
 * nothing is held twice. The arrays are replaced when the table grows: read them through the table.
 */
export class SlotTable {
  /** The key of each slot in use; empty in a cache that knows its keys by hash only. */
  readonly keys: (string | undefined)[] = [];
  /** Bytes that the entry of a slot is accounted with. */
  weights: Uint32Array;
  /** 32-bit hash of the key of a slot; 0 unless the policy asks for hashes. */
  hashes: Uint32Array;
  /** Hits of a slot, counted up to the `maxUses` of the policy, which sets them back. */
  uses: Uint8Array;
  /** The limits of the cache. They may change at any time. */
  maxItems: number;
  maxBytes: number;
  private readonly free: number[] = [];
  private used = 0;

  constructor(slots: number, limits: CacheLimits) {
    this.keys.length = slots;
    this.weights = new Uint32Array(slots);
    this.hashes = new Uint32Array(slots);
    this.uses = new Uint8Array(slots);
    this.maxItems = limits.maxItems;
    this.maxBytes = limits.maxBytes;
  }

  /** Number of slots that exist. */
  get slots(): number {
    return this.weights.length;
  }

  /** Slots below this were in use at some time. */
  get usedSlots(): number {
    return this.used;
  }

  /** A slot that is not in use; -1 when the table must grow. */
  take(): number {
    const slot = this.free.pop();
    if (slot !== undefined) return slot;
    return this.used < this.slots ? this.used++ : -1;
  }

  give(slot: number): void {
    this.free.push(slot);
  }

  /** Takes all slots back; the table keeps its size. */
  giveAll(): void {
    this.keys.length = 0;
    this.keys.length = this.slots;
    this.free.length = 0;
    this.used = 0;
  }

  grow(slots: number): void {
    // V8 would reserve half as much again if the array grew by being filled.
    this.keys.length = slots;
    this.weights = grown(this.weights, slots);
    this.hashes = grown(this.hashes, slots);
    this.uses = grown(this.uses, slots);
  }
}

type SlotArray = Uint8Array | Int32Array | Uint32Array | Float32Array | Float64Array;

/** A longer copy of a typed array; the new places hold 0. */
export function grown<T extends SlotArray>(array: T, length: number): T {
  const longer = new (array.constructor as new (length: number) => T)(length);
  longer.set(array);
  return longer;
}
