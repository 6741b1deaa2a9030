import type { CacheHub } from '#libs/cache';
import { HealthComponent, type HealthFinding } from '../health-component.js';

/**
 * Asks whether the cache has all its levels, and hears the other processes. Without them it goes
 * on, with more loads and shorter lives.
 */
export class CacheComponent extends HealthComponent {
  readonly name = 'cache';
  readonly required = false;

  constructor(private readonly hub: Pick<CacheHub, 'probe' | 'levels' | 'isInSync'>) {
    super();
  }

  async check(): Promise<HealthFinding> {
    // Without reads nobody else would find out that a level is back.
    await this.hub.probe();
    if (this.hub.levels().some(({ state, isEnabled }) => isEnabled && state !== 'closed')) {
      return { healthy: false, code: 'CACHE_LEVEL_UNREACHABLE' };
    }
    return this.hub.isInSync ? { healthy: true } : { healthy: false, code: 'CACHE_OUT_OF_SYNC' };
  }
}
