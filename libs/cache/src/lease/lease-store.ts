/** Leases by key, of which all processes together hold at most one at a time. */
export abstract class LeaseStore {
  abstract readonly name: string;

  /** Whether `owner` holds the lease from now on for `leaseMs`. It ends by itself. */
  abstract acquire(key: string, owner: string, leaseMs: number): Promise<boolean>;

  /** Ends the lease if `owner` still holds it. */
  abstract release(key: string, owner: string): Promise<void>;
}
