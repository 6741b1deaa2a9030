import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { Cacheable } from '#libs/cache';
import type { Principal } from '#libs/core';
import {
  CurrentPrincipal,
  Idempotent,
  type Page,
  type PageQuery,
  pageQuerySchema,
  Returns,
} from '#libs/http';
import { tagOfSource, tagOfSourceName } from '../caching/source-invalidation.js';
import { newSourceSchema, sourceChangesSchema } from '../services/input.schemas.js';
import { SourceService } from '../services/source.service.js';
import type { NewSource, SourceChanges, SourceView } from '../services/views.js';
import { sourcePageSchema, sourceSchema } from './answer.schemas.js';
import { sourceIdSchema } from './parameter.schemas.js';

/** Named sources. The service asks for the permission, since it knows the source's name. */
@Controller('v1/sources')
export class SourcesController {
  constructor(private readonly sources: SourceService) {}

  @Get()
  @Returns(200, 'The sources that the caller may read, by name', sourcePageSchema)
  list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: pageQuerySchema }) query: PageQuery,
  ): Promise<Page<SourceView>> {
    return this.sources.list(principal, query);
  }

  @Post()
  @Idempotent()
  @Returns(201, 'Makes a source; its name serves as its id', sourceSchema)
  create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: newSourceSchema }) body: NewSource,
  ): Promise<SourceView> {
    return this.sources.create(principal, body);
  }

  @Get(':id')
  @Cacheable<SourcesController['get']>({
    namespace: 'api.source',
    varyBy: ['user'],
    tags: ({ id, name }) => [tagOfSource(id), tagOfSourceName(name)],
  })
  @Returns(200, 'A source, by id or name', sourceSchema)
  get(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: sourceIdSchema }) id: string,
  ): Promise<SourceView> {
    return this.sources.get(principal, id);
  }

  @Patch(':id')
  @Returns(200, 'Changes the source; what is not given stays', sourceSchema)
  update(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: sourceIdSchema }) id: string,
    @Body({ schema: sourceChangesSchema }) body: SourceChanges,
  ): Promise<SourceView> {
    return this.sources.update(principal, id, body);
  }

  @Delete(':id')
  @Returns(204, 'Deletes the source with all its entries')
  delete(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: sourceIdSchema }) id: string,
  ): Promise<void> {
    return this.sources.delete(principal, id);
  }
}
