import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { Priority, Problems, RequirePermission, Returns } from '#libs/http';
import { JobQueue } from '#libs/jobs';
import type { z } from 'zod';
import { DEFAULT_CONCURRENCY, isAtStart, warmCache } from '../warming/warm-cache.job.js';
import { WarmUpTargets } from '../warming/warm-up.targets.js';
import { MANAGE, READ } from './permissions.js';
import { warmSchema, warmStartedSchema, warmTargetsSchema } from './warming.schemas.js';

/** Fills caches on demand. */
@Controller('v1/perf/cache/warm')
@Priority('batch')
export class CacheWarmingController {
  constructor(
    private readonly targets: WarmUpTargets,
    private readonly queue: JobQueue,
  ) {}

  @Get()
  @RequirePermission(READ)
  @Returns(200, 'The methods with @WarmUp, what they load and when', warmTargetsSchema)
  list(): z.infer<typeof warmTargetsSchema> {
    return {
      items: this.targets.ready().map(({ cache, where, options }) => ({
        namespace: cache.namespace,
        method: where,
        hasKeys: options.keys !== undefined,
        topN: options.topN ?? null,
        cron: options.cron ?? null,
        everyMs: options.everyMs ?? null,
        atStart: isAtStart(options),
        beforePeaks: options.beforePeaks ?? false,
        concurrency: options.concurrency ?? DEFAULT_CONCURRENCY,
      })),
    };
  }

  @Post()
  @HttpCode(202)
  @RequirePermission(MANAGE)
  @Problems({ 404: 'Nothing can warm the namespace' })
  @Returns(
    202,
    'Fills caches in the background, by the decorators or as the body says',
    warmStartedSchema,
  )
  async warm(
    @Body({ schema: warmSchema }) body: z.infer<typeof warmSchema>,
  ): Promise<z.infer<typeof warmStartedSchema>> {
    if (body.namespace !== undefined) this.targets.require(body.namespace);
    const { id } = await this.queue.enqueue(warmCache, { reason: 'request', ...body });
    return { jobId: id };
  }
}
