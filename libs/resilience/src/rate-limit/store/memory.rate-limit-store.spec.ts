import { ManualClock } from '#libs/core';
import { rateLimitStoreContract } from '../testing/rate-limit-store.contract.js';
import { MemoryRateLimitStore } from './memory.rate-limit-store.js';

rateLimitStoreContract('MemoryRateLimitStore', async () => {
  const clock = new ManualClock();
  const store = new MemoryRateLimitStore({ clock, maxKeys: 1_000 });
  return {
    store,
    other: store,
    pass: async (ms) => clock.advance(Math.ceil(ms)),
    close: () => store.close(),
  };
});
