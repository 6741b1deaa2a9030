import { ManualClock } from '#libs/core';
import type { DualStoreManager } from '../port/dual-store-manager.js';
import { describeDualStoreManager } from './dual-store-manager.contract.js';
import { InMemoryDualStoreManager } from './in-memory-dual-store-manager.js';

describeDualStoreManager('InMemoryDualStoreManager', () => {
  const clock = new ManualClock();
  const managers: InMemoryDualStoreManager[] = [];
  let failure: Error | undefined;
  return Promise.resolve({
    createManager(consistency): Promise<DualStoreManager> {
      const manager = new InMemoryDualStoreManager({ name: 'memory', clock, consistency });
      managers.push(manager);
      return Promise.resolve(manager);
    },
    failIndexWrites(message) {
      failure = message === undefined ? undefined : new Error(message);
      for (const manager of managers) manager.indexFailure = failure;
    },
    settle() {
      for (const manager of managers) manager.settle();
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
});
