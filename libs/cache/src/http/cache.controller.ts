import { Body, Controller, Delete, Get, Post, Query } from '@nestjs/common';
import { AccessControl, type Principal } from '#libs/core';
import { CurrentPrincipal, RequirePermission, Returns } from '#libs/http';
import type { z } from 'zod';
import { CacheControl } from '../administration/cache-control.js';
import { CacheOverview } from '../administration/cache-overview.js';
import { CacheHub } from '../engine/cache-hub.js';
import {
  hotKeysSchema,
  invalidateSchema,
  managersSchema,
  missedKeysSchema,
  receiptSchema,
  statsSchema,
  sweepSchema,
  topQuerySchema,
} from './cache.schemas.js';
import { MANAGE, MAX_NAMESPACES, READ } from './permissions.js';

type Receipt = z.infer<typeof receiptSchema>;

/** The cache of this process as a whole. */
@Controller('v1/perf/cache')
export class CacheController {
  constructor(
    private readonly overview: CacheOverview,
    private readonly control: CacheControl,
    private readonly hub: CacheHub,
    private readonly access: AccessControl,
  ) {}

  @Get('stats')
  @RequirePermission(READ)
  @Returns(200, 'Counts of this process by level and by namespace, since its start', statsSchema)
  async stats(): Promise<z.infer<typeof statsSchema>> {
    const levels = await this.overview.levels();
    const namespaces = this.overview.namespaces();
    const sum = (field: 'hits' | 'misses' | 'writes' | 'invalidations'): number =>
      namespaces.reduce((total, namespace) => total + namespace[field], 0);
    const [hits, misses] = [sum('hits'), sum('misses')];
    const [first] = levels;
    return {
      inSync: this.hub.isInSync,
      hits,
      misses,
      hitRatio: hits + misses === 0 ? null : hits / (hits + misses),
      sets: first?.sets ?? 0,
      deletes: sum('invalidations'),
      size: first?.items ?? 0,
      bytes: first?.bytes ?? 0,
      levels,
      namespaces: namespaces.slice(0, MAX_NAMESPACES),
    };
  }

  @Get('managers')
  @RequirePermission(READ)
  @Returns(200, 'The five kinds of namespaces with budgets and figures', managersSchema)
  managers(): z.infer<typeof managersSchema> {
    return { items: this.overview.managers() };
  }

  @Get('misses')
  @RequirePermission(READ)
  @Returns(200, 'Keys that were missed most often', missedKeysSchema)
  misses(
    @Query({ schema: topQuerySchema }) { top, namespace }: z.infer<typeof topQuerySchema>,
    @CurrentPrincipal() principal: Principal,
  ): z.infer<typeof missedKeysSchema> {
    return { items: this.overview.missedKeys(top, this.maySeeKeys(principal), namespace) };
  }

  @Get('hot')
  @RequirePermission(READ)
  @Returns(200, 'Keys that the first level answered most often', hotKeysSchema)
  hot(
    @Query({ schema: topQuerySchema }) { top, namespace }: z.infer<typeof topQuerySchema>,
    @CurrentPrincipal() principal: Principal,
  ): z.infer<typeof hotKeysSchema> {
    return { items: this.overview.hotKeys(top, this.maySeeKeys(principal), namespace) };
  }

  @Post('invalidate')
  @RequirePermission(MANAGE)
  @Returns(
    200,
    'Invalidates, in every process, by tags, by keys, by prefix or a namespace',
    receiptSchema,
  )
  async invalidate(
    @Body({ schema: invalidateSchema }) body: z.infer<typeof invalidateSchema>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Receipt> {
    const { tags, keys, namespace = '' } = body;
    if (tags !== undefined) {
      const { acknowledged } = await this.control.invalidateTags(tags, principal);
      return { acknowledged, scope: 'tags' };
    }
    if (keys !== undefined) {
      const { acknowledged } = await this.control.deleteKeys(namespace, keys, principal);
      return { acknowledged, scope: 'keys' };
    }
    // Shared levels cannot list their keys, so a prefix takes more than it names, and never less.
    const { acknowledged } = await this.control.clearNamespace(namespace, principal);
    return { acknowledged, scope: 'namespace' };
  }

  @Post('sweep')
  @RequirePermission(MANAGE)
  @Returns(200, 'Removes what has expired from every level, and counts', sweepSchema)
  async sweep(@CurrentPrincipal() principal: Principal): Promise<z.infer<typeof sweepSchema>> {
    const items = await this.control.sweep(principal);
    return { items, removed: items.reduce((sum, { removed }) => sum + removed, 0) };
  }

  @Delete()
  @RequirePermission(MANAGE)
  @Returns(200, 'Invalidates everything, in every process', receiptSchema)
  async clear(@CurrentPrincipal() principal: Principal): Promise<Receipt> {
    const { acknowledged } = await this.control.clear(principal);
    return { acknowledged, scope: 'everything' };
  }

  /** Keys name users and organizations. */
  private maySeeKeys(principal: Principal): boolean {
    return this.access.isAllowed(principal, MANAGE.resource, MANAGE.action);
  }
}
