import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { decodeCursor, encodeCursor, type Page, RequirePermission, Returns } from '#libs/http';
import type { z } from 'zod';
import { JobBrowser, type JobDetails, type JobView, type ScheduleView } from '../job-browser.js';
import {
  jobCursorSchema,
  jobDetailsSchema,
  jobIdSchema,
  jobListQuerySchema,
  jobPageSchema,
  schedulesSchema,
} from './job.schemas.js';

/** Shows background jobs and runs failed ones again. */
@Controller('v1/jobs')
export class JobsController {
  constructor(private readonly jobs: JobBrowser) {}

  @Get()
  @RequirePermission({ resource: 'jobs', action: 'read' })
  @Returns(
    200,
    'Jobs by state and name: active, waiting, delayed, failed, completed',
    jobPageSchema,
  )
  async list(
    @Query({ schema: jobListQuerySchema }) query: z.infer<typeof jobListQuerySchema>,
  ): Promise<Page<JobView>> {
    const { limit, cursor, state, name } = query;
    const from = cursor === undefined ? undefined : decodeCursor(cursor, jobCursorSchema);
    const { items, next } = await this.jobs.list({ state, name }, limit, from);
    return { items, nextCursor: next === null ? null : encodeCursor(next) };
  }

  @Get('schedulers')
  @RequirePermission({ resource: 'jobs', action: 'read' })
  @Returns(200, 'Schedules of jobs, the next to run first', schedulesSchema)
  async schedulers(): Promise<{ readonly items: readonly ScheduleView[] }> {
    return { items: await this.jobs.listSchedules() };
  }

  @Get(':id')
  @RequirePermission({ resource: 'jobs', action: 'read' })
  @Returns(200, 'A job with its payload, result and failures', jobDetailsSchema)
  get(@Param('id', { schema: jobIdSchema }) id: string): Promise<JobDetails> {
    return this.jobs.get(id);
  }

  @Post(':id/retry')
  @RequirePermission({ resource: 'jobs', action: 'manage' })
  @Returns(200, 'Puts a failed or completed job back into its queue', jobDetailsSchema)
  async retry(@Param('id', { schema: jobIdSchema }) id: string): Promise<JobDetails> {
    await this.jobs.retry(id);
    return this.jobs.get(id);
  }
}
