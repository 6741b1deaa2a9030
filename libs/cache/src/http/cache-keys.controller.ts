import { Controller, Delete, Get, Param, Query } from '@nestjs/common';
import { AccessControl, type Principal } from '#libs/core';
import { CurrentPrincipal, Problems, RequirePermission, Returns } from '#libs/http';
import type { z } from 'zod';
import { CacheControl } from '../administration/cache-control.js';
import { shownValue } from '../administration/shown-value.js';
import { CacheValueForbiddenError } from '../errors/cache-administration.errors.js';
import { Caches } from '../managers/caches.js';
import {
  keyDeleteQuerySchema,
  keyParamSchema,
  keyQuerySchema,
  keySchema,
  receiptSchema,
} from './cache.schemas.js';
import { MANAGE, READ } from './permissions.js';

/** Single keys: where they lie, and their removal. */
@Controller('v1/perf/cache/keys')
export class CacheKeysController {
  constructor(
    private readonly caches: Caches,
    private readonly control: CacheControl,
    private readonly access: AccessControl,
  ) {}

  @Get(':key')
  @RequirePermission(READ)
  @Problems({
    403: 'The value is asked for, and may not be shown',
    404: 'No such namespace is open in this process',
  })
  @Returns(200, 'What the levels hold of a key: life left, bytes, tags', keySchema)
  async get(
    @Param('key', { schema: keyParamSchema }) path: string,
    @Query({ schema: keyQuerySchema }) query: z.infer<typeof keyQuerySchema>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof keySchema>> {
    const { namespace, key } = nameOf(path, query.namespace);
    const cache = this.control.require(namespace);
    if (query.value === 'true') this.requireValue(namespace, principal);
    const levels = (await cache.keyInfo(key)).map((info) => ({
      level: info.level,
      state: info.state,
      createdAt: new Date(info.createdMs).toISOString(),
      ttlLeftMs: info.ttlLeftMs,
      bytes: info.bytes ?? null,
      tags: [...info.tags],
    }));
    return {
      namespace,
      key,
      found: levels.some(({ state }) => state === 'fresh'),
      levels,
      ...(query.value === 'true' ? await shownValue(cache, key) : {}),
    };
  }

  @Delete(':key')
  @RequirePermission(MANAGE)
  @Problems({ 404: 'No such namespace is open in this process' })
  @Returns(200, 'Deletes a key from every level and every process', receiptSchema)
  async delete(
    @Param('key', { schema: keyParamSchema }) path: string,
    @Query({ schema: keyDeleteQuerySchema }) query: z.infer<typeof keyDeleteQuerySchema>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof receiptSchema>> {
    const { namespace, key } = nameOf(path, query.namespace);
    const { acknowledged } = await this.control.deleteKeys(namespace, [key], principal);
    return { acknowledged, scope: 'keys' };
  }

  /** Values hold what users wrote; those of sessions say who may do what, and stay unseen. */
  private requireValue(namespace: string, principal: Principal): void {
    if (!this.access.isAllowed(principal, MANAGE.resource, MANAGE.action)) {
      throw new CacheValueForbiddenError(`it needs ${MANAGE.resource} ${MANAGE.action}`);
    }
    if (this.caches.namespace(namespace)?.kind === 'session') {
      throw new CacheValueForbiddenError('the namespace holds what belongs to sessions');
    }
  }
}

/** A key with its namespace in front, as namespaces have no ":" in their names. */
function nameOf(path: string, namespace: string | undefined): { namespace: string; key: string } {
  if (namespace !== undefined) return { namespace, key: path };
  const at = path.indexOf(':');
  return { namespace: path.slice(0, Math.max(0, at)), key: path.slice(at + 1) };
}
