import type { INestApplicationContext } from '@nestjs/common';
import {
  type ShutdownFigures,
  type ShutdownPhase,
  shutdownSettings,
  ShutdownSteps,
} from '#libs/resilience';
import type { Platform } from './platform.js';

/** The phase in which jobs and whatever else begins work by itself come to their end. */
export function workPhase(
  app: INestApplicationContext,
  platform: Platform,
  figures: Map<string, ShutdownFigures>,
): ShutdownPhase {
  return {
    name: 'work',
    deadlineMs: platform.store.get(shutdownSettings).workDeadlineMs,
    run: () => app.get(ShutdownSteps).run('work', (name, counts) => figures.set(name, counts)),
  };
}

/**
 * The phases after which nothing is left of a process: what its parts hold is written and they
 * leave Redis and the queue, the connections to the database are closed, and then the embedded one
 * stops. Modules write until their last moment, so the connections end after all of them.
 */
export function closingPhases(
  app: INestApplicationContext,
  platform: Platform,
  figures: Map<string, ShutdownFigures>,
): readonly ShutdownPhase[] {
  const { flushDeadlineMs, storesDeadlineMs, databaseDeadlineMs } =
    platform.store.get(shutdownSettings);
  const { dataSource } = platform;
  return [
    {
      name: 'flush',
      deadlineMs: flushDeadlineMs,
      async run() {
        await app.get(ShutdownSteps).run('flush', (name, counts) => figures.set(name, counts));
        await app.close();
      },
    },
    {
      name: 'stores',
      deadlineMs: storesDeadlineMs,
      async run() {
        if (dataSource.isInitialized) await dataSource.destroy();
      },
    },
    { name: 'database', deadlineMs: databaseDeadlineMs, run: () => platform.close() },
  ];
}
