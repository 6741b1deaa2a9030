import type { Type } from '@nestjs/common';
import { CacheController } from './cache.controller.js';
import { CacheKeysController } from './cache-keys.controller.js';
import { CacheLearningController } from './learning.controller.js';
import { CacheLevelsController } from './cache-levels.controller.js';
import { CacheNamespacesController } from './cache-namespaces.controller.js';
import { StrategiesController } from './strategies.controller.js';
import { StrategyEntriesController } from './strategy-entries.controller.js';
import { CacheWarmingController } from './warming.controller.js';

/** The controllers of this lib, for the app to mount. */
export const cacheControllers: Type[] = [
  CacheController,
  CacheLevelsController,
  CacheNamespacesController,
  CacheKeysController,
  CacheLearningController,
  CacheWarmingController,
  StrategiesController,
  StrategyEntriesController,
];
