import { Controller, Delete, Get, Query } from '@nestjs/common';
import { RequirePermission, Returns } from '#libs/http';
import { QueryInsights } from '../queries/query-insights.js';
import type { QueryReport } from '../queries/query-recorder.js';
import {
  type LimitQuery,
  limitQuerySchema,
  type NPlusOnesAnswer,
  nPlusOnesSchema,
  type QueriesAnswer,
  type QueriesQuery,
  queriesQuerySchema,
  queriesSchema,
} from './queries.schemas.js';

const SORT_KEYS: Readonly<Record<QueriesQuery['sort'], (query: QueryReport) => number>> = {
  total: ({ totalMs }) => totalMs,
  mean: ({ meanMs }) => meanMs,
  p95: ({ p95Ms }) => p95Ms,
  max: ({ maxMs }) => maxMs,
  calls: ({ calls }) => calls,
};

/** The queries of the process that answers. */
@Controller('v1/perf/queries')
export class QueriesController {
  constructor(private readonly insights: QueryInsights) {}

  @Get()
  @RequirePermission({ resource: 'perf:queries', action: 'read' })
  @Returns(200, 'Queries by fingerprint, the costliest first', queriesSchema)
  async list(
    @Query({ schema: queriesQuerySchema }) { sort, limit }: QueriesQuery,
  ): Promise<QueriesAnswer> {
    return answer(await this.insights.queries(), SORT_KEYS[sort], limit);
  }

  @Get('slow')
  @RequirePermission({ resource: 'perf:queries', action: 'read' })
  @Returns(200, 'Queries that were slow, with the worst execution and its plan', queriesSchema)
  async slow(@Query({ schema: limitQuerySchema }) { limit }: LimitQuery): Promise<QueriesAnswer> {
    const slow = (await this.insights.queries()).filter((query) => query.slow > 0);
    return answer(slow, SORT_KEYS.max, limit);
  }

  @Get('n-plus-one')
  @RequirePermission({ resource: 'perf:queries', action: 'read' })
  @Returns(200, 'Loops that query row by row, with the place and the remedy', nPlusOnesSchema)
  nPlusOne(): NPlusOnesAnswer {
    return { items: this.insights.nPlusOnes() };
  }

  @Delete()
  @RequirePermission({ resource: 'perf:queries', action: 'manage' })
  @Returns(204, 'Forgets what was counted, to measure from now on')
  reset(): void {
    this.insights.reset();
  }
}

function answer(
  queries: readonly QueryReport[],
  key: (query: QueryReport) => number,
  limit: number,
): QueriesAnswer {
  return { items: [...queries].sort((a, b) => key(b) - key(a)).slice(0, limit) };
}
