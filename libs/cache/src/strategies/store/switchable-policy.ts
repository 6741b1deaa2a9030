import {
  EvictionPolicy,
  type EvictionPolicyFactory,
  type PolicyDescription,
  recordHit,
} from '../../l1/eviction-policy.js';
import type { SlotTable } from '../../l1/slot-table.js';

/** Rules a cache by a policy that can be changed for another one, which takes over the entries. */
export class SwitchablePolicy extends EvictionPolicy {
  override readonly usesHashes = true;
  private current: EvictionPolicy;

  constructor(table: SlotTable, create: EvictionPolicyFactory) {
    super(table);
    this.current = create(table);
  }

  /** Of the policy in force. */
  override get name(): string {
    return this.current.name;
  }

  switchTo(create: EvictionPolicyFactory): void {
    const next = create(this.table);
    next.adopt(this.current.order());
    this.current = next;
  }

  override reserve(slots: number): void {
    this.current.reserve(slots);
  }

  override insert(slot: number): void {
    this.current.insert(slot);
  }

  override hit(slot: number): void {
    recordHit(this.current, this.table, slot);
  }

  override reweigh(slot: number, newWeight: number): void {
    this.current.reweigh(slot, newWeight);
  }

  override remove(slot: number): void {
    this.current.remove(slot);
  }

  override evict(): number {
    return this.current.evict();
  }

  override order(): Iterable<number> {
    return this.current.order();
  }

  override clear(): void {
    this.current.clear();
  }

  override adopt(order: Iterable<number>): void {
    this.current.adopt(order);
  }

  /** Of the policy in force. */
  override describe(): PolicyDescription {
    return { inForce: this.current.name, ...this.current.describe() };
  }
}

/** The policies of all caches of one strategy: those that are open, and those that will be. */
export class PolicySwitch {
  private readonly open = new Set<WeakRef<SwitchablePolicy>>();
  private create: EvictionPolicyFactory;

  constructor(
    private policy: string,
    private readonly find: (name: string) => EvictionPolicyFactory,
  ) {
    this.create = find(policy);
  }

  get name(): string {
    return this.policy;
  }

  /** To be given to a cache. */
  readonly factory: EvictionPolicyFactory = (table) => {
    const made = new SwitchablePolicy(table, this.create);
    this.open.add(new WeakRef(made));
    return made;
  };

  /** Changes the policy of every cache, without losing entries. */
  switchTo(policy: string): void {
    if (policy === this.policy) return;
    this.create = this.find(policy);
    this.policy = policy;
    for (const reference of this.open) {
      const made = reference.deref();
      // A cache that was packed or closed has let go of its policy.
      if (made === undefined) this.open.delete(reference);
      else made.switchTo(this.create);
    }
  }

  /** What the newest of the policies tells. */
  describe(): PolicyDescription {
    let description: PolicyDescription = {};
    for (const reference of this.open) {
      const made = reference.deref();
      if (made === undefined) this.open.delete(reference);
      else description = made.describe();
    }
    return description;
  }
}
