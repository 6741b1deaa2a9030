import type { SyncState } from '../coherence/sync-state.js';
import { type CoarseClock, coarseClockOf } from '../l1/coarse-clock.js';
import { MemoryStore } from '../l1/memory-store.js';
import type { MemoryStoreOptions, MemoryStoreStats } from '../l1/memory-store.types.js';
import { sizeOf } from '../l1/sizer.js';
import { EntryColumns } from './entry-columns.js';
import { L1Entry } from './l1-entry.js';
import { isCurrent } from './tag-table.js';

/** Says that there is nothing to serve without thought; every other value may be stored. */
export const NO_HIT: unique symbol = Symbol('no hit');

/** Of the columns (`npm run bench:cache`); the store adds what it takes itself. */
const COLUMN_BYTES = 8;
/** Of tags that no other entry shares: the vector, and each tag of it. */
const TAG_VECTOR_BYTES = 136;
const BYTES_PER_TAG = 16;

/**
 * The entries of a cache in this process. A hit looks at the columns of the entry and makes no
 * object; what needs more than the value gets an `L1Entry` made for it.
 */
export class FirstLevel {
  private readonly store: MemoryStore<unknown>;
  private readonly columns = new EntryColumns(0);
  private readonly coarse: CoarseClock;

  constructor(
    private readonly sync: SyncState,
    options: MemoryStoreOptions<unknown> & Required<Pick<MemoryStoreOptions<unknown>, 'clock'>>,
  ) {
    this.store = new MemoryStore(options, this.columns);
    this.coarse = coarseClockOf(options.clock, options.clockResolutionMs ?? 10);
  }

  get size(): number {
    return this.store.size;
  }

  /** The value if it is fresh, no refresh of it is due and nothing has invalidated it, else `NO_HIT`. */
  hit(key: string): unknown {
    const { store, columns } = this;
    const slot = store.slotOf(key);
    if (slot === undefined) return NO_HIT;
    const due = columns.due ?? columns.fresh ?? store.ends;
    // The clock rests at a very late time while nobody reads; the exact one decides then.
    if (due === undefined || (due[slot] as number) <= this.coarse.nowMs) return NO_HIT;
    if (columns.epochs[slot] !== this.sync.epoch) return NO_HIT;
    if (columns.tags !== undefined) {
      const tags = columns.tags[slot];
      if (tags !== undefined && !isCurrent(tags)) return NO_HIT;
    }
    return store.use(slot);
  }

  /** The entry, stale or suspect as it may be; counts as a use. */
  get(key: string): L1Entry | undefined {
    const slot = this.store.find(key);
    if (slot === undefined) return undefined;
    this.store.use(slot);
    return this.entryAt(slot);
  }

  /** The entry, without a use. */
  peek(key: string): L1Entry | undefined {
    const slot = this.store.slotOf(key);
    return slot === undefined || this.store.isOver(slot) ? undefined : this.entryAt(slot);
  }

  /** Bytes that the entry of the key is accounted with. */
  weightOf(key: string): number | undefined {
    return this.store.peek(key)?.weightBytes;
  }

  /** Whether it keeps nothing at all. */
  get isOff(): boolean {
    return this.store.isOff;
  }

  set(key: string, entry: L1Entry): void {
    const weight = COLUMN_BYTES + tagBytes(entry) + sizeOf(entry.value);
    const slot = this.store.put(key, entry.value, weight, Math.ceil(entry.staleUntilMs));
    if (slot < 0) return;
    this.columns.write(slot, entry, this.store.ends as Float64Array);
    if (entry.tags !== null) entry.tags.isHeld = true;
  }

  delete(key: string): void {
    this.store.delete(key);
  }

  clear(): void {
    this.store.clear();
  }

  sweep(): number {
    return this.store.sweep();
  }

  resize(bounds: { readonly maxItems?: number; readonly maxBytes?: number }): void {
    this.store.resize(bounds);
  }

  stats(): MemoryStoreStats {
    return this.store.stats();
  }

  private entryAt(slot: number): L1Entry {
    const { store, columns } = this;
    const end = store.ends?.[slot] ?? Number.POSITIVE_INFINITY;
    return new L1Entry(
      store.valueAt(slot),
      columns.dueMs(slot, end),
      columns.expiresMs(slot, end),
      end,
      columns.createdMs(slot, end),
      columns.loadMs(slot),
      columns.epochs[slot] as number,
      columns.tags?.[slot] ?? null,
    );
  }
}

function tagBytes({ tags }: L1Entry): number {
  return tags === null || tags.isHeld ? 0 : TAG_VECTOR_BYTES + tags.refs.length * BYTES_PER_TAG;
}
