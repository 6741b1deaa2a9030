import { Body, Controller, Post } from '@nestjs/common';
import { Priority, RequirePermission, Returns } from '#libs/http';
import { IndexAdvisor } from '../index-advisor.service.js';
import {
  type OptimizeBody,
  type Optimized,
  optimizedSchema,
  optimizeSchema,
} from './optimize.schemas.js';

/** Looks at the plans of the queries that take most of the time. */
@Controller('v1/perf/queries')
@Priority('batch')
export class OptimizeController {
  constructor(private readonly advisor: IndexAdvisor) {}

  @Post('optimize')
  @RequirePermission({ resource: 'perf:queries', action: 'manage' })
  @Returns(
    200,
    'What makes queries slow, node by node; refreshes stale statistics, and tells which rewrites are proven',
    optimizedSchema,
  )
  optimize(@Body({ schema: optimizeSchema }) { limit, apply }: OptimizeBody): Promise<Optimized> {
    return this.advisor.optimizeQueries(limit, apply);
  }
}
