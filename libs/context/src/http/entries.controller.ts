import {
  Body,
  Controller,
  Get,
  Headers,
  Param,
  Post,
  Query,
  type StreamableFile,
} from '@nestjs/common';
import type { Principal } from '#libs/core';
import {
  CurrentPrincipal,
  Idempotent,
  type Page,
  Priority,
  Returns,
  ReturnsText,
} from '#libs/http';
import type { NewEntry } from '../port/store-entry.js';
import { EntryService } from '../services/entry.service.js';
import { newEntrySchema } from '../services/input.schemas.js';
import type { EntryView } from '../services/views.js';
import { createdSchema, entryPageSchema, entrySchema } from './answer.schemas.js';
import { ndjsonFile } from './ndjson-file.js';
import {
  entryIdSchema,
  type EntryPageQuery,
  entryPageQuerySchema,
  type EntryStreamQuery,
  entryStreamQuerySchema,
  sourceIdSchema,
} from './parameter.schemas.js';

/** Entries of a source, one by one, by pages and as a stream. */
@Controller('v1/sources/:id/entries')
export class EntriesController {
  constructor(private readonly entries: EntryService) {}

  @Post()
  @Idempotent()
  @Returns(201, 'Adds an entry to the source', createdSchema)
  add(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: sourceIdSchema }) source: string,
    @Body({ schema: newEntrySchema }) body: NewEntry,
  ): Promise<{ id: string }> {
    return this.entries.add(principal, source, body);
  }

  @Get()
  @Returns(200, 'Entries of the source by time of occurrence, in pages', entryPageSchema)
  page(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: sourceIdSchema }) source: string,
    @Query({ schema: entryPageQuerySchema }) query: EntryPageQuery,
  ): Promise<Page<EntryView>> {
    return this.entries.page(principal, source, query);
  }

  @Get('stream')
  @Priority('batch')
  @ReturnsText(
    200,
    'All entries of the source, one a line; a JSON array with Accept: application/json',
    'application/x-ndjson',
  )
  stream(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: sourceIdSchema }) source: string,
    @Query({ schema: entryStreamQuerySchema }) query: EntryStreamQuery,
    @Headers('accept') accept: string | undefined,
  ): Promise<StreamableFile> {
    return ndjsonFile(
      (signal) => this.entries.stream(principal, source, { ...query, signal }),
      accept,
    );
  }

  @Get(':entryId')
  @Returns(200, 'An entry with its text and metadata', entrySchema)
  get(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: sourceIdSchema }) source: string,
    @Param('entryId', { schema: entryIdSchema }) entryId: string,
  ): Promise<EntryView> {
    return this.entries.get(principal, source, entryId);
  }
}
