import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { newId } from '#libs/core';
import { Priority, Problems, RequirePermission, Returns } from '#libs/http';
import { JobQueue } from '#libs/jobs';
import { PostgresChangeAudit } from '../change/postgres.change-audit.js';
import { IndexAdvisor } from '../index-advisor.service.js';
import { analyseIndexes, applyIndex } from '../jobs/index-jobs.js';
import {
  type AnalysisStarted,
  analysisStartedSchema,
  type ApplyBody,
  applySchema,
  type ApplyStarted,
  applyStartedSchema,
  type ChangesAnswer,
  type ChangesQuery,
  changesQuerySchema,
  changesSchema,
  type IndexesAnswer,
  indexesSchema,
} from './index-advisor.schemas.js';
import { MANAGE, READ } from './permissions.js';

/** Indexes: those there are, those that should be, those that should go. */
@Controller('v1/perf/indexes')
@Priority('batch')
export class IndexesController {
  constructor(
    private readonly advisor: IndexAdvisor,
    private readonly audit: PostgresChangeAudit,
    private readonly queue: JobQueue,
  ) {}

  @Get()
  @RequirePermission(READ)
  @Returns(
    200,
    'Indexes, and the advice of the last analysis; the first time it is made, which takes seconds',
    indexesSchema,
  )
  async read(): Promise<IndexesAnswer> {
    const { recommended, toRemove, estimated, ...analysis } = await this.advisor.latest();
    return {
      analysedAt: analysis.analysedAt,
      statistics: analysis.statistics,
      workload: analysis.workload,
      current: await this.advisor.currentIndexes(),
      recommended: recommended.map(({ index: { schema, table }, ...rest }) =>
        Object.assign(rest, { schema, table }),
      ),
      toRemove,
      estimatedImprovement: estimated,
      notes: analysis.notes,
    };
  }

  @Post('analyse')
  @RequirePermission(MANAGE)
  @Returns(202, 'Analyses the database in the background', analysisStartedSchema)
  async analyse(): Promise<AnalysisStarted> {
    const { id } = await this.queue.enqueue(analyseIndexes, {}, { deduplicationKey: 'analyse' });
    return { jobId: id };
  }

  @Post('apply')
  @RequirePermission(MANAGE)
  @Problems({ 404: 'The last analysis does not recommend such an index' })
  @Returns(
    202,
    'Builds recommended indexes while the database is in use, and later removes those that do not pay',
    applyStartedSchema,
  )
  async apply(@Body({ schema: applySchema }) { names }: ApplyBody): Promise<ApplyStarted> {
    const recommended = await this.advisor.recommended(names);
    const changes = recommended.map(({ index, sizeBytes, serves }) => ({
      id: newId(),
      index: {
        ...index,
        keys: index.keys.map((key) => ({ ...key })),
        include: index.include === undefined ? undefined : [...index.include],
      },
      expectedBytes: sizeBytes,
      serves: serves.map(({ fingerprint }) => fingerprint),
    }));
    const indexes = recommended.map(({ name }) => name);
    // The same indexes are asked for once, however often somebody asks.
    const deduplicationKey = `apply-${indexes.toSorted().join(',')}`;
    const { id } = await this.queue.enqueue(applyIndex, { changes }, { deduplicationKey });
    return { jobId: id, indexes };
  }

  @Get('changes')
  @RequirePermission(READ)
  @Returns(200, 'The steps of changes of indexes, the latest first', changesSchema)
  async changes(
    @Query({ schema: changesQuerySchema }) { limit }: ChangesQuery,
  ): Promise<ChangesAnswer> {
    return { items: await this.audit.latest(limit) };
  }
}
