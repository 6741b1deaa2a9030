import { Clock, SystemClock } from '#libs/core';
import { MemoryBackplane, MemoryBus } from '../backplane/memory.backplane.js';
import { CacheHub } from '../engine/cache-hub.js';
import type { CacheHubOptions } from '../engine/hub.options.js';
import { MemoryTier } from '../tier/memory.tier.js';
import type { CacheTier } from '../tier/cache-tier.js';
import { MemoryVersionStore } from '../versions/memory.version-store.js';

/** Hubs that stand for processes: they share levels, versions and a bus, and nothing else. */
export class Cluster {
  readonly bus = new MemoryBus();
  readonly versions = new MemoryVersionStore();
  readonly tiers: CacheTier[];
  private readonly hubs: CacheHub[] = [];

  constructor(
    readonly clock: Clock = new SystemClock(),
    tiers: readonly CacheTier[] = [
      new MemoryTier({ clock, name: 'second' }),
      new MemoryTier({ clock, name: 'third' }),
    ],
  ) {
    this.tiers = [...tiers];
  }

  async join(options: CacheHubOptions = {}): Promise<CacheHub> {
    const hub = new CacheHub({
      clock: this.clock,
      clockResolutionMs: 0,
      tiers: this.tiers.map((tier) => ({ tier })),
      versions: this.versions,
      backplane: new MemoryBackplane(this.bus),
      ...options,
    });
    await hub.start();
    this.hubs.push(hub);
    return hub;
  }

  async close(): Promise<void> {
    await Promise.all(this.hubs.map((hub) => hub.close()));
  }
}
