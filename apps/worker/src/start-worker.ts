import { type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthMonitor, HealthPort, healthSettings } from '#libs/health';
import { NestLoggerService } from '#libs/logging';
import { Metrics, watchPool } from '#libs/metrics';
import { poolOf, redisSettings } from '#libs/persistence';
import { openPlatform, type Platform } from '../../shared/src/platform.js';
import { explainFailure } from '../../shared/src/explain-failure.js';
import { closingPhases, workPhase } from '../../shared/src/closing-phases.js';
import { shutDownOnSignals } from '../../shared/src/shutdown.js';
import { WorkerModule } from './worker.module.js';

/** Starts the worker of this process; on failure says why in words and sets the exit code. */
export async function startWorker(): Promise<void> {
  try {
    await start();
  } catch (error) {
    process.stderr.write(`Pantheon's worker did not start: ${explainFailure(error)}\n`);
    process.exit(1);
  }
}

async function start(): Promise<void> {
  const platform = await openPlatform({
    service: 'worker',
    embedded: 'share',
    onNotice: (sentence) => process.stdout.write(`${sentence}\n`),
  });
  try {
    const context = await createWorker(platform);
    endOnSignals(platform, context);
    const store = platform.store.get(redisSettings).url === undefined ? 'PostgreSQL' : 'Redis';
    const port = hasHealthPort(platform) ? context.get(HealthPort).port : undefined;
    const health = port === undefined ? '' : ` Health and metrics are on port ${port}.`;
    process.stdout.write(
      `Pantheon's worker is ready after ${Math.round(performance.now())} ms, with jobs on ${store}.${health}\n`,
    );
  } catch (error) {
    await platform.close();
    throw error;
  }
}

async function createWorker(platform: Platform): Promise<INestApplicationContext> {
  const context = await NestFactory.createApplicationContext(WorkerModule.forRoot(platform), {
    abortOnError: false,
    logger: new NestLoggerService(platform.log),
  });
  watchPool(context.get(Metrics).registry, () => poolOf(platform.dataSource));
  return context;
}

function hasHealthPort({ store }: Platform): boolean {
  return store.get(healthSettings).port !== undefined;
}

const DAY_MS = 86_400_000;

function endOnSignals(platform: Platform, context: INestApplicationContext): void {
  // While its stores are away a worker holds no connection, which would end the process.
  setInterval(() => undefined, DAY_MS);
  shutDownOnSignals(platform, (figures) => {
    if (hasHealthPort(platform)) context.get(HealthMonitor).startDraining();
    return [workPhase(context, platform, figures), ...closingPhases(context, platform, figures)];
  });
}
