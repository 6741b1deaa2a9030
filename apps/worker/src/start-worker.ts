import { type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { redisSettings } from '#libs/persistence';
import { NestLoggerService } from '#libs/logging';
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
    process.stdout.write(
      `Pantheon's worker is ready after ${Math.round(performance.now())} ms, with jobs on ${store}.\n`,
    );
  } catch (error) {
    await platform.close();
    throw error;
  }
}

function createWorker(platform: Platform): Promise<INestApplicationContext> {
  return NestFactory.createApplicationContext(WorkerModule.forRoot(platform), {
    abortOnError: false,
    logger: new NestLoggerService(platform.log),
  });
}

const DAY_MS = 86_400_000;

function endOnSignals(platform: Platform, context: INestApplicationContext): void {
  // While its stores are away a worker holds no connection, which would end the process.
  setInterval(() => undefined, DAY_MS);
  shutDownOnSignals(platform, (figures) => [
    workPhase(context, platform, figures),
    ...closingPhases(context, platform, figures),
  ]);
}
