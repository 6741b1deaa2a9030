import type { Clock } from '#libs/core';
import type { Backplane } from '../backplane/backplane.js';
import type { LeaseStore } from '../lease/lease-store.js';
import type { CacheTier } from '../tier/cache-tier.js';
import type { VersionStore } from '../versions/version-store.js';

/** Names of the levels below the first. */
export type SharedLevel = 'L2' | 'L3' | 'L4';

/** A level below the first, and how long it is waited for. */
export interface HubTierOptions {
  readonly tier: CacheTier;
  /** Its name in statistics and answers. Default by its place: the first is L2. */
  readonly level?: SharedLevel;
  /** Longest wait for one call. Default 200. */
  readonly timeoutMs?: number;
  /** Failures in a row after which the level is left alone. Default 5. */
  readonly breakerFailures?: number;
  /** For how long it is left alone before one call probes it. Default 1,000. */
  readonly breakerOpenMs?: number;
}

/** What can be changed of a level while it is in use; what is undefined stays as it is. */
export interface LevelLimits {
  /** Longest life of what is stored from now on; null for none but that of the entry. */
  readonly ttlMs?: number | null | undefined;
  /** Of a shared level: longest wait for one call. */
  readonly timeoutMs?: number | undefined;
  /** Of a shared level: whether it is read and filled. What is deleted leaves it also when not. */
  readonly isEnabled?: boolean | undefined;
}

export interface CacheHubOptions {
  /** Default the machine's. */
  readonly clock?: Clock;
  /** How exact the time of a hit of the first level is. Default 10; 0 reads the clock on every hit. */
  readonly clockResolutionMs?: number;
  /** The levels below the first, the fastest first. Default none. */
  readonly tiers?: readonly HubTierOptions[];
  /**
   * Where versions are kept; it should survive what the last level survives. Default the memory of
   * the process; with tiers it must be given.
   */
  readonly versions?: VersionStore;
  /** Longest wait for the versions. Default 200. */
  readonly versionsTimeoutMs?: number;
  /** Most tags and keys whose versions are known to the process. Default 100,000. */
  readonly maxTags?: number;
  /** Connects the processes. Without one the hub takes itself for the only process. */
  readonly backplane?: Backplane;
  /** How often a node says that it is there. Default 1,000. */
  readonly heartbeatMs?: number;
  /** Longest wait for the other nodes to confirm an invalidation. Default 500. */
  readonly ackTimeoutMs?: number;
  /** Longest wait for the backplane to take a message. Default 500. */
  readonly publishTimeoutMs?: number;
  /** Longest life in the first level while invalidations of others cannot arrive. Default 5,000. */
  readonly outOfSyncTtlMs?: number;
  /** For loads that only one of all processes should do. */
  readonly leases?: LeaseStore;
  /** How long a lease holds; a loader that takes longer loses it to another. Default 10,000. */
  readonly leaseMs?: number;
}
