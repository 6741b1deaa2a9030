import { Body, Controller, Delete, Get, Param, Patch } from '@nestjs/common';
import type { Principal } from '#libs/core';
import { CurrentPrincipal, Problems, RequirePermission, Returns } from '#libs/http';
import type { z } from 'zod';
import { CacheControl } from '../administration/cache-control.js';
import { CacheOverview } from '../administration/cache-overview.js';
import { CacheNamespaceUnknownError } from '../errors/cache-administration.errors.js';
import {
  namespaceChangeSchema,
  namespaceParamSchema,
  namespaceSchema,
  namespacesSchema,
  receiptSchema,
} from './cache.schemas.js';
import { MANAGE, MAX_NAMESPACES, READ } from './permissions.js';

type Namespace = z.infer<typeof namespaceSchema>;

/** The namespaces that are open in this process. */
@Controller('v1/perf/cache/namespaces')
export class CacheNamespacesController {
  constructor(
    private readonly overview: CacheOverview,
    private readonly control: CacheControl,
  ) {}

  @Get()
  @RequirePermission(READ)
  @Returns(200, 'Every namespace with kind, rule of its TTL, bytes and hit ratio', namespacesSchema)
  list(): z.infer<typeof namespacesSchema> {
    const all = this.overview.namespaces();
    return {
      items: all.slice(0, MAX_NAMESPACES),
      omitted: Math.max(0, all.length - MAX_NAMESPACES),
    };
  }

  @Get(':namespace')
  @RequirePermission(READ)
  @Problems({ 404: 'No such namespace is open in this process' })
  @Returns(200, 'One namespace', namespaceSchema)
  get(@Param('namespace', { schema: namespaceParamSchema }) name: string): Namespace {
    const found = this.overview.namespace(name);
    if (found === undefined) throw new CacheNamespaceUnknownError(name);
    return found;
  }

  @Patch(':namespace')
  @RequirePermission(MANAGE)
  @Problems({ 404: 'No such namespace is open in this process' })
  @Returns(
    200,
    'Changes the rule of a namespace, in every process and for good; null goes back to the code',
    namespaceSchema,
  )
  async change(
    @Param('namespace', { schema: namespaceParamSchema }) name: string,
    @Body({ schema: namespaceChangeSchema }) change: z.infer<typeof namespaceChangeSchema>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Namespace> {
    await this.control.changeNamespace(name, change, principal);
    return this.get(name);
  }

  @Delete(':namespace')
  @RequirePermission(MANAGE)
  @Returns(200, 'Invalidates every entry of a namespace, in every process', receiptSchema)
  async clear(
    @Param('namespace', { schema: namespaceParamSchema }) name: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof receiptSchema>> {
    this.control.require(name);
    const { acknowledged } = await this.control.clearNamespace(name, principal);
    return { acknowledged, scope: 'namespace' };
  }
}
