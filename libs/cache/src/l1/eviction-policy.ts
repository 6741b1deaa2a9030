import type { SlotTable } from './slot-table.js';

/** What a policy tells about itself: counts, and what it has learnt. Plain JSON. */
export type PolicyDescription = Readonly<Record<string, unknown>>;

/** A smaller model of a cache: a policy that ruled the part `rate` of its keys and of its room. */
export interface Miniature {
  readonly policy: EvictionPolicy;
  readonly rate: number;
}

/**
 * Decides which entry leaves a full cache. It knows entries by slot number only, keeps what it
 * needs in typed arrays indexed by slot, and is told of everything that happens:
 *
 * - `insert` when a slot is given to a new key, `remove` when its entry is deleted or has expired;
 * - `hit` when an entry is read or its value replaced, unless `maxUses` says that counting in the
 *   table's `uses` is enough; `reweigh` when its bytes change, before the table has the new weight;
 * - `evict` when room is needed for one more: it picks a slot, forgets it and returns it. The cache
 *   holds at least one entry then, and the newcomer is inserted only afterwards, so that the
 *   limits are never passed and a newcomer stays at least until the next one comes.
 *
 * A slot is reused as soon as it is free. Weights and hashes of a slot stand in the table while
 * any of these is called for it.
 */
export abstract class EvictionPolicy {
  abstract readonly name: string;

  /** Whether the table's hashes must be filled; a hash costs about 1 ns a character of the key. */
  readonly usesHashes: boolean = false;

  /**
   * How far the cache itself counts hits in the table's `uses`; `hit` is not called then, which
   * spares the hot path a call through the port. `undefined` asks for the calls.
   */
  readonly maxUses: number | undefined = undefined;

  constructor(protected readonly table: SlotTable) {}

  /** Makes room for what is kept by slot, after the table has grown. */
  abstract reserve(slots: number): void;

  abstract insert(slot: number): void;

  abstract hit(slot: number): void;

  reweigh(_slot: number, _newWeight: number): void {
    // Only policies that divide the cache into segments count bytes.
  }

  abstract remove(slot: number): void;

  abstract evict(): number;

  /** All slots, the ones that would leave first at the front, as far as that is known. */
  abstract order(): Iterable<number>;

  /** Forgets all entries; what was learnt from them may stay. */
  abstract clear(): void;

  /**
   * Takes over the entries of a cache that another policy has ruled, soonest victims first; that
   * uses none of them. A miniature, if there is one, was ruled by a policy of the same class.
   */
  adopt(order: Iterable<number>, _miniature?: Miniature): void {
    for (const slot of order) this.insert(slot);
  }

  describe(): PolicyDescription {
    return {};
  }
}

/** Makes a policy for the cache that owns the table. */
export type EvictionPolicyFactory = (table: SlotTable) => EvictionPolicy;

/** Tells a policy of a hit, in the way that it asks for. */
export function recordHit(policy: EvictionPolicy, table: SlotTable, slot: number): void {
  const { maxUses } = policy;
  if (maxUses === undefined) {
    policy.hit(slot);
    return;
  }
  const uses = table.uses[slot] as number;
  if (uses < maxUses) table.uses[slot] = uses + 1;
}
