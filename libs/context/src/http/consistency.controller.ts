import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { Principal } from '#libs/core';
import { CurrentPrincipal, Priority, Returns } from '#libs/http';
import type { ConsistencyReport } from '../port/dual-store-manager.js';
import { EntryService, type RepairReport } from '../services/entry.service.js';
import { consistencySchema, repairSchema } from './answer.schemas.js';
import {
  type ConsistencyQuery,
  consistencyQuerySchema,
  sourceIdSchema,
} from './parameter.schemas.js';

/** Whether the search index of a source agrees with its entries. */
@Controller('v1/sources/:id/consistency')
export class ConsistencyController {
  constructor(private readonly entries: EntryService) {}

  @Get()
  @Returns(200, 'How many entries are indexed, wait for it or failed', consistencySchema)
  report(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: sourceIdSchema }) source: string,
    @Query({ schema: consistencyQuerySchema }) { limit }: ConsistencyQuery,
  ): Promise<ConsistencyReport> {
    return this.entries.consistency(principal, source, limit);
  }

  @Post('repair')
  @Priority('batch')
  @Returns(200, 'Indexes every entry that is not indexed', repairSchema)
  repair(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: sourceIdSchema }) source: string,
  ): Promise<RepairReport> {
    return this.entries.repair(principal, source);
  }
}
