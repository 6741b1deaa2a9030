import { Controller, Get, type Type } from '@nestjs/common';
import { Public } from '#libs/http';
import { Cacheable } from '../../decorators/cacheable.decorator.js';
import { type ResponseApp, type ResponseAppOptions, startResponseApp } from './response-app.js';

/** How often the handlers of a test ran: they count themselves, `closeApps` counts from 0 again. */
export const handler = { runs: 0 };

@Public()
@Controller('v1/things')
export class CountedController {
  @Get('counted')
  @Cacheable({ varyBy: [], ttlMs: 10_000, jitter: 0 })
  counted(): object {
    handler.runs += 1;
    return { runs: handler.runs, text: 'hällo' };
  }
}

const apps: ResponseApp[] = [];

/** Starts an application that `closeApps` closes. */
export async function start(
  controllers: readonly Type[] = [CountedController],
  options: Partial<ResponseAppOptions> = {},
): Promise<ResponseApp> {
  const app = await startResponseApp({ controllers, ...options });
  apps.push(app);
  return app;
}

/** For `afterEach`. */
export async function closeApps(): Promise<void> {
  await Promise.all(apps.splice(0).map((app) => app.close()));
  handler.runs = 0;
}
