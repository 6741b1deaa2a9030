import type { Provider } from '@nestjs/common';
import { HotSetRecorder } from './hot-set.recorder.js';
import { HotSetStore } from './hot-set.store.js';
import { PoolHeadroom } from './pool-headroom.js';
import { PostgresHotSetStore } from './postgres.hot-set.store.js';
import { WarmCacheJob } from './warm-cache.job.js';
import { WarmUpSchedules } from './warm-up.schedules.js';
import { WarmUpStarter } from './warm-up.starter.js';
import { WarmUpTargets } from './warm-up.targets.js';

/** What fills caches before anybody asks. */
export const warmingProviders: readonly Provider[] = [
  WarmUpTargets,
  { provide: HotSetStore, useClass: PostgresHotSetStore },
  PoolHeadroom,
  WarmCacheJob,
  WarmUpSchedules,
  HotSetRecorder,
  WarmUpStarter,
];
