/**
 * What the owner of a `MemoryStore` keeps of its entries by slot, beside what the store keeps. The
 * store says what becomes of the slots; the owner writes its columns after `put`.
 */
export interface SlotColumns {
  /** There are so many slots now. */
  reserve(slots: number): void;
  /** The entry of the slot has left. */
  vacate(slot: number): void;
  /** All have left. */
  clear(): void;
  /** The entries of these slots move to 0, 1, …, of so many slots; all others have left. */
  pack(order: readonly number[], slots: number): void;
}
