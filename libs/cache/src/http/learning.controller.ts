import { Readable } from 'node:stream';
import { Controller, Get, Query, StreamableFile } from '@nestjs/common';
import { AccessControl, type Principal } from '#libs/core';
import {
  CurrentPrincipal,
  Priority,
  Problems,
  RequirePermission,
  Returns,
  ReturnsText,
} from '#libs/http';
import type { z } from 'zod';
import { CacheNamespaceUnknownError } from '../errors/cache-administration.errors.js';
import { CacheLearning } from '../learning/cache-learning.js';
import { modelOf } from '../learning/model-of.js';
import type { NamespaceLearning } from '../learning/namespace-learning.js';
import { patternsOf } from '../learning/patterns-of.js';
import { traceLines } from '../learning/trace-export.js';
import {
  modelQuerySchema,
  modelsSchema,
  patternsSchema,
  namespaceQuerySchema,
  traceQuerySchema,
} from './learning.schemas.js';
import { MANAGE, READ } from './permissions.js';

const UNKNOWN = { 404: 'No such namespace is open in this process' };

/** What the cache of this process has learnt of its readers. */
@Controller('v1/perf/cache')
export class CacheLearningController {
  constructor(
    private readonly learning: CacheLearning,
    private readonly access: AccessControl,
  ) {}

  @Get('patterns')
  @RequirePermission(READ)
  @Problems(UNKNOWN)
  @Returns(200, 'Keys read most, what follows them, the hours of the day', patternsSchema)
  async patterns(
    @Query({ schema: namespaceQuerySchema }) query: z.infer<typeof namespaceQuerySchema>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof patternsSchema>> {
    const learning = this.require(query.namespace);
    await this.learning.learn();
    // Keys name users and organizations.
    const maySeeKeys = this.access.isAllowed(principal, MANAGE.resource, MANAGE.action);
    return patternsOf(learning, query.top, maySeeKeys);
  }

  @Get('model')
  @RequirePermission(READ)
  @Problems(UNKNOWN)
  @Returns(
    200,
    'Policies that learn or adapt: what is in force, why, and its weights',
    modelsSchema,
  )
  model(
    @Query({ schema: modelQuerySchema }) { namespace }: z.infer<typeof modelQuerySchema>,
  ): z.infer<typeof modelsSchema> {
    const all = namespace === undefined ? this.learning.all() : [this.require(namespace)];
    return { items: all.map(({ cache }) => modelOf(cache)) };
  }

  @Get('trace')
  @Priority('batch')
  @RequirePermission(MANAGE)
  @Problems(UNKNOWN)
  @ReturnsText(
    200,
    'The last reads, keys and users as digests, a line each',
    'application/x-ndjson',
  )
  trace(
    @Query({ schema: traceQuerySchema }) { namespace }: z.infer<typeof traceQuerySchema>,
  ): StreamableFile {
    const { recorder } = this.require(namespace);
    return new StreamableFile(Readable.from(traceLines(recorder.accesses())), {
      type: 'application/x-ndjson',
      disposition: `attachment; filename="${namespace.replaceAll(/[^\w.-]/g, '_')}.ndjson"`,
    });
  }

  private require(namespace: string): NamespaceLearning {
    const learning = this.learning.of(namespace);
    if (learning === undefined) throw new CacheNamespaceUnknownError(namespace);
    return learning;
  }
}
