import { Controller, Get, Query } from '@nestjs/common';
import type { Principal } from '#libs/core';
import {
  CurrentPrincipal,
  type Page,
  pageSchema,
  RequirePermission,
  RequireSession,
  Returns,
} from '#libs/http';
import type { SecurityRecord } from '../audit/security-event.js';
import { SecurityEvents } from '../audit/security-events.js';
import {
  type AuditQuery,
  auditQuerySchema,
  type OwnEventsQuery,
  ownEventsQuerySchema,
  securityEventSchema,
} from './audit.schemas.js';
import { pageOf } from './page-of.js';

/** The record of security events. Nothing here or elsewhere changes it. */
@Controller('v1/audit/events')
export class AuditController {
  constructor(private readonly events: SecurityEvents) {}

  @Get('own')
  @RequireSession()
  @Returns(
    200,
    'Security events that concern the account of the caller, the newest first',
    pageSchema(securityEventSchema),
  )
  listOwn(
    @Query({ schema: ownEventsQuerySchema }) { limit, cursor, ...filter }: OwnEventsQuery,
    @CurrentPrincipal() caller: Principal,
  ): Promise<Page<SecurityRecord>> {
    return pageOf({ limit, cursor }, (rows, beforeId) =>
      this.events.listOwn(caller, filter, rows, beforeId),
    );
  }

  @Get()
  @RequirePermission({ resource: 'audit', action: 'read' })
  @Returns(
    200,
    'Security events, the newest first: of the organization, or with read on audit:all of every one',
    pageSchema(securityEventSchema),
  )
  list(
    @Query({ schema: auditQuerySchema }) { limit, cursor, ...filter }: AuditQuery,
    @CurrentPrincipal() caller: Principal,
  ): Promise<Page<SecurityRecord>> {
    return pageOf({ limit, cursor }, (rows, beforeId) =>
      this.events.list(caller, filter, rows, beforeId),
    );
  }
}
