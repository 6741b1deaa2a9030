import type { Provider } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { RootLogger } from '#libs/logging';
import { MemoryMetrics } from './memory-metrics.js';
import { MemoryWatch } from './memory-watch.js';

/** The watch over memory, and its metrics. */
export const memoryProviders: Provider[] = [
  {
    provide: MemoryWatch,
    useFactory: (settings: SettingsStore, clock: Clock, log: RootLogger) =>
      new MemoryWatch(settings, clock, log),
    inject: [SettingsStore, Clock, RootLogger],
  },
  MemoryMetrics,
];
