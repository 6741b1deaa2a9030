import { setTimeout as sleep } from 'node:timers/promises';
import { type Administrator, AdministratorBootstrap } from '#libs/auth';
import { HealthMonitor } from '#libs/health';
import { jobsSettings } from '#libs/jobs';
import { Metrics } from '#libs/metrics';
import { redisSettings } from '#libs/persistence';
import { type ShutdownFigures, type ShutdownPhase, shutdownSettings } from '#libs/resilience';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { banner, type BannerFacts } from '../../shared/src/banner.js';
import { openPlatform, type Platform } from '../../shared/src/platform.js';
import { explainFailure } from '../../shared/src/explain-failure.js';
import { closingPhases, workPhase } from '../../shared/src/closing-phases.js';
import { shutDownOnSignals } from '../../shared/src/shutdown.js';
import { httpSettings } from '../../shared/src/http.settings.js';
import { createApi } from './create-api.js';
import { PortTakenError } from './errors/port-taken.error.js';
import { RequestDrain } from './http/request-drain.js';

/** Starts the API of this process; on failure says why in words and sets the exit code. */
export async function startApi(): Promise<void> {
  try {
    await start();
  } catch (error) {
    process.stderr.write(`Pantheon did not start: ${explainFailure(error)}\n`);
    process.exit(1);
  }
}

async function start(): Promise<void> {
  const platform = await openPlatform({
    service: 'api',
    embedded: 'own',
    onNotice: (sentence) => process.stdout.write(`${sentence}\n`),
  });
  try {
    const app = await createApi(platform);
    shutDownOnSignals(platform, (figures) => phasesOf(app, platform, figures));
    const url = await listen(app, platform);
    // Not before: an administrator whose password nobody is told, because the port was taken,
    // would lock everybody out.
    const administrator = await app.get(AdministratorBootstrap).ensure();
    process.stdout.write(banner(factsOf(platform, url, administrator)));
  } catch (error) {
    await platform.close();
    throw error;
  }
}

/** Nothing that a phase ends is needed by a phase after it. */
function phasesOf(
  app: NestFastifyApplication,
  platform: Platform,
  figures: Map<string, ShutdownFigures>,
): readonly ShutdownPhase[] {
  const { drainDelayMs, requestsDeadlineMs } = platform.store.get(shutdownSettings);
  const requests = new RequestDrain(app.getHttpAdapter().getInstance(), app.get(Metrics));
  app.get(HealthMonitor).startDraining();
  return [
    // The delay is no deadline: it ends by itself.
    { name: 'drain', deadlineMs: drainDelayMs + 1_000, run: () => sleep(drainDelayMs) },
    workPhase(app, platform, figures),
    {
      name: 'requests',
      deadlineMs: requestsDeadlineMs,
      run: (signal) =>
        requests.finish(signal).finally(() => figures.set('requests', requests.figures)),
    },
    ...closingPhases(app, platform, figures),
  ];
}

async function listen(app: NestFastifyApplication, platform: Platform): Promise<string> {
  const { host, port } = platform.store.get(httpSettings);
  try {
    await app.listen(port, host);
  } catch (error) {
    await app.close();
    throw PortTakenError.from(error, port) ?? error;
  }
  const { hostname, port: actualPort } = new URL(await app.getUrl());
  const shown = ['0.0.0.0', '[::]', '[::1]'].includes(hostname) ? 'localhost' : hostname;
  return `http://${shown}:${actualPort}`;
}

function factsOf(platform: Platform, url: string, administrator: Administrator): BannerFacts {
  const { inProcess } = platform.store.get(jobsSettings);
  const redisUrl = platform.store.get(redisSettings).url;
  const { email, generatedPassword: password } = administrator;
  return {
    url,
    startedInMs: performance.now(),
    database: platform.embedded ? 'embedded PostgreSQL' : 'the one of DATABASE_URL',
    jobs: `on ${redisUrl === undefined ? 'PostgreSQL' : 'Redis'}, ${inProcess ? 'run in this process' : 'run by workers'}`,
    administrator: password === undefined ? undefined : { email, password },
  };
}
