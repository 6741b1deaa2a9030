import { describe, expect, it } from '@jest/globals';
import type { LevelStatistics } from '#libs/cache';
import { CacheComponent } from './cache.component.js';

function component(state: string, isInSync = true, isEnabled = true): CacheComponent {
  const level = { level: 'L2', state, isEnabled } as LevelStatistics;
  return new CacheComponent({ probe: () => Promise.resolve(), levels: () => [level], isInSync });
}

describe('CacheComponent', () => {
  it('is up while every level answers and the other processes are heard', async () => {
    expect(await component('closed').check()).toEqual({ healthy: true });
  });

  it.each(['open', 'half-open'])(
    'is down while a level is %s, unless it is out of use',
    async (state) => {
      const down = { healthy: false, code: 'CACHE_LEVEL_UNREACHABLE' };
      expect(await component(state).check()).toEqual(down);
      expect(await component(state, true, false).check()).toEqual({ healthy: true });
    },
  );

  it('is down while invalidations of others cannot arrive', async () => {
    const down = { healthy: false, code: 'CACHE_OUT_OF_SYNC' };
    expect(await component('closed', false).check()).toEqual(down);
  });
});
