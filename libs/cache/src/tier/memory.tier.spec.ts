import { ManualClock } from '#libs/core';
import { cacheTierContract } from '../testing/cache-tier.contract.js';
import { ChaosTier } from '../testing/chaos.tier.js';
import { MemoryTier } from './memory.tier.js';

function harness(wrap: (tier: MemoryTier) => ChaosTier | MemoryTier) {
  const clock = new ManualClock();
  const tier = new MemoryTier({ clock });
  return Promise.resolve({
    tier: wrap(tier),
    other: tier,
    nowMs: () => clock.nowMs(),
    pass: (ms: number) => Promise.resolve(clock.advance(ms)),
    close: () => Promise.resolve(),
  });
}

cacheTierContract('MemoryTier', () => harness((tier) => tier));
cacheTierContract('a ChaosTier without faults', () => harness((tier) => new ChaosTier(tier)));
