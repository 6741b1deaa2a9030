import { Controller, Get } from '@nestjs/common';
import { Priority, RequirePermission, Returns } from '#libs/http';
import { IndexAdvisor } from '../index-advisor.service.js';
import { type SchemaAdvice, schemaAdviceSchema } from './index-advisor.schemas.js';
import { READ } from './permissions.js';

/** What should be different about the tables of the database. */
@Controller('v1/perf/schema')
@Priority('batch')
export class SchemaController {
  constructor(private readonly advisor: IndexAdvisor) {}

  @Get()
  @RequirePermission(READ)
  @Returns(
    200,
    'Types, missing NOT NULL, foreign keys without an index, bloat, duplicate indexes, hot paths into jsonb',
    schemaAdviceSchema,
  )
  async read(): Promise<SchemaAdvice> {
    return { findings: await this.advisor.schemaFindings() };
  }
}
