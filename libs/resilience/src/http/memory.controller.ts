import { getHeapSpaceStatistics } from 'node:v8';
import { Controller, Get } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { RequirePermission, Returns } from '#libs/http';
import { Metrics } from '#libs/metrics';
import { ratioOf } from '../memory/memory-meter.js';
import { memorySettings } from '../memory/memory.settings.js';
import { MemoryWatch } from '../memory/memory-watch.js';
import { type MemoryAnswer, memorySchema } from './memory.schemas.js';

/** The memory of the process that answers. */
@Controller('v1/perf/memory')
export class MemoryController {
  constructor(
    private readonly watch: MemoryWatch,
    private readonly settings: SettingsStore,
    private readonly metrics: Metrics,
  ) {}

  @Get()
  @RequirePermission({ resource: 'perf:memory', action: 'read' })
  @Returns(
    200,
    'What bounds the memory of the process, what uses it, and the pressure',
    memorySchema,
  )
  async read(): Promise<MemoryAnswer> {
    const { level, bounds, entered, collections } = this.watch.state;
    const { shedRatio, criticalRatio } = this.settings.get(memorySettings);
    const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
    return {
      level,
      bounds: bounds.map((bound) => ({
        source: bound.source,
        usedBytes: bound.usedBytes,
        limitBytes: bound.limitBytes,
        ratio: ratioOf(bound),
      })),
      thresholds: { shedRatio, criticalRatio },
      process: {
        rssBytes: rss,
        heapTotalBytes: heapTotal,
        heapUsedBytes: heapUsed,
        externalBytes: external,
        arrayBufferBytes: arrayBuffers,
      },
      heapSpaces: getHeapSpaceStatistics().map((space) => ({
        name: space.space_name,
        usedBytes: space.space_used_size,
        committedBytes: space.physical_space_size,
      })),
      entered,
      collections,
      gc: await this.gc(),
    };
  }

  /** The same figures as at `/v1/perf/metrics`. */
  private async gc(): Promise<Record<string, unknown>> {
    const collector = this.metrics.registry.collectors.find(({ name }) => name === 'gc');
    return { ...(await collector?.collect()) };
  }
}
