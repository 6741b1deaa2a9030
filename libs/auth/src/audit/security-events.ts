import { Injectable } from '@nestjs/common';
import { AccessControl, type Principal } from '#libs/core';
import { ForbiddenError } from '../errors/forbidden.error.js';
import type { SecurityRecord } from './security-event.js';
import { type SecurityEventFilter, SecurityEventStore } from './security-event.store.js';

/** What it takes to see the events of all organizations, and those of none. */
const ALL = { resource: 'audit:all', action: 'read' } as const;

/**
 * Reads the record of security events. Whoever may `read` `audit` sees those of the own organization; with
 * `read` on `audit:all` those of every organization, and those of nobody known.
 */
@Injectable()
export class SecurityEvents {
  constructor(
    private readonly store: SecurityEventStore,
    private readonly access: AccessControl,
  ) {}

  /**
   * At most `limit` events, the newest first, of those before `beforeId`.
   * @throws ForbiddenError AUTH_PERMISSION_DENIED when another organization is asked for
   */
  async list(
    caller: Principal,
    filter: SecurityEventFilter,
    limit: number,
    beforeId?: string,
  ): Promise<SecurityRecord[]> {
    return this.store.list(this.withinBounds(caller, filter), limit, beforeId);
  }

  /** As `list`, of those that the caller did or that concern the caller's account. */
  listOwn(
    { userId }: Principal,
    filter: SecurityEventFilter,
    limit: number,
    beforeId?: string,
  ): Promise<SecurityRecord[]> {
    return this.store.list({ ...filter, userId }, limit, beforeId);
  }

  private withinBounds(caller: Principal, filter: SecurityEventFilter): SecurityEventFilter {
    if (this.access.isAllowed(caller, ALL.resource, ALL.action)) return filter;
    const { organizationId = caller.organizationId } = filter;
    if (organizationId !== caller.organizationId) {
      throw new ForbiddenError(
        'AUTH_PERMISSION_DENIED',
        `You need the permission ${ALL.action} on ${ALL.resource}.`,
      );
    }
    return { ...filter, organizationId };
  }
}
