import type { BackgroundTasks, Clock } from '#libs/core';
import type { Invalidation } from '../coherence/message.js';
import type { SyncState } from '../coherence/sync-state.js';
import type { LeaseStore } from '../lease/lease-store.js';
import type { Gate } from '../tier/gate.js';
import type { RecoveryQueue } from './recovery-queue.js';
import type { TierStack } from './tier-stack.js';
import type { Versions } from './versions.js';

/** What all caches of a hub share. */
export interface HubParts {
  readonly clock: Clock;
  readonly clockResolutionMs: number;
  readonly tasks: BackgroundTasks;
  readonly sync: SyncState;
  readonly stack: TierStack;
  readonly versions: Versions;
  readonly recovery: RecoveryQueue;
  readonly outOfSyncTtlMs: number;
  readonly leases:
    { readonly store: LeaseStore; readonly gate: Gate; readonly leaseMs: number } | undefined;
  /** Tells the other processes; whether all have applied it. */
  tell(items: readonly Invalidation[]): Promise<boolean>;
  /** Gives the names new versions, everywhere. */
  invalidateNames(names: readonly string[]): Promise<InvalidationReceipt>;
}

/** What is known of an invalidation or a write when it returns. */
export interface InvalidationReceipt {
  /**
   * Every level has done it, and every process has confirmed that it serves nothing older. If false,
   * this process serves nothing older, and the rest is being tried again.
   */
  readonly acknowledged: boolean;
}
