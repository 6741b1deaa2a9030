import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { poolOf } from '#libs/persistence';
import { DataSource } from 'typeorm';
import { cacheWarmingSettings } from './warming.settings.js';

/** Says how many loads warming may do at once, by the connections that the requests leave. */
@Injectable()
export class PoolHeadroom {
  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: SettingsStore,
  ) {}

  /** The set share of the connections that are not busy; never fewer than one. */
  limit(): number {
    const pool = poolOf(this.dataSource);
    const { poolShare } = this.settings.get(cacheWarmingSettings);
    if (pool === undefined) return 1;
    const busy = pool.totalCount - pool.idleCount;
    // Those who wait for a connection come first.
    const spare = pool.options.max - busy - pool.waitingCount;
    return Math.max(1, Math.floor(spare * poolShare));
  }
}
