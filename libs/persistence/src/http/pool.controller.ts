import { Controller, Get, Post } from '@nestjs/common';
import { Problems, RequirePermission, Returns } from '#libs/http';
import { PoolOverseer, type PoolReport } from '../pool/pool-overseer.js';
import { type PoolOptimization, poolOptimizationSchema, poolReportSchema } from './pool.schemas.js';

/** The pool of database connections of the process that answers. */
@Controller('v1/perf/pool')
export class PoolController {
  constructor(private readonly overseer: PoolOverseer) {}

  @Get()
  @RequirePermission({ resource: 'perf:pool', action: 'read' })
  @Returns(
    200,
    'The pool: size, use, waiting and holding times, and what size is advised',
    poolReportSchema,
  )
  @Problems({ 503: 'The database is not connected' })
  read(): PoolReport {
    return this.overseer.report();
  }

  @Post('optimize')
  @RequirePermission({ resource: 'perf:pool', action: 'manage' })
  @Returns(
    200,
    'The advised size, taken over when it differs, with its evidence',
    poolOptimizationSchema,
  )
  @Problems({ 503: 'The database is not connected' })
  optimize(): PoolOptimization {
    const { before, applied } = this.overseer.applyAdvice();
    return { sizeBefore: before.size, applied, ...before.advice };
  }
}
