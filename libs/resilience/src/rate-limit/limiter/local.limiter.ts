import { type Bucket, spend, type Verdict } from '../gcra/bucket.js';
import type { RatePolicy } from '../gcra/rate-policy.js';
import { KeyTable } from './key-table.js';
import { firstOf, Limiter, type RefusedKey } from './limiter.js';

/** A budget of this process alone. */
class LocalEntry implements Bucket {
  deficit = 0;
  refused = 0;

  constructor(
    readonly key: string,
    public atUs: number,
  ) {}
}

/** Budgets in the memory of this process, for one that shares them with no other. */
export class LocalLimiter extends Limiter {
  private readonly table: KeyTable<LocalEntry>;

  constructor(policy: RatePolicy, maxKeys: number) {
    super(policy);
    this.table = new KeyTable((key) => new LocalEntry(key, 0), maxKeys);
  }

  get keys(): number {
    return this.table.size;
  }

  check(key: string, nowUs: number): Verdict {
    const entry = this.table.touch(key);
    const verdict = spend(entry, this.current, nowUs);
    if (verdict >= 0) this.allowed += 1;
    else {
      this.refused += 1;
      entry.refused += 1;
    }
    return verdict;
  }

  ask(): Promise<Verdict> {
    throw new TypeError('A local limiter decides at once.');
  }

  change(policy: RatePolicy): void {
    if (policy.cellUnits !== this.current.cellUnits) this.table.clear();
    this.current = policy;
  }

  mostRefused(count: number): RefusedKey[] {
    return firstOf(this.table.entries(), count);
  }
}
