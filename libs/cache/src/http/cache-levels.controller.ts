import { Body, Controller, Get, Param, Patch } from '@nestjs/common';
import type { Principal } from '#libs/core';
import { CurrentPrincipal, Problems, RequirePermission, Returns } from '#libs/http';
import type { z } from 'zod';
import { CacheControl } from '../administration/cache-control.js';
import { CacheOverview } from '../administration/cache-overview.js';
import { CacheLevelUnknownError } from '../errors/cache-administration.errors.js';
import { levelChangeSchema, levelParamSchema, levelSchema, levelsSchema } from './cache.schemas.js';
import { MANAGE, READ } from './permissions.js';

type Level = z.infer<typeof levelSchema>;

/** The levels of the cache: what they are and how they do, and their limits. */
@Controller('v1/perf/cache/levels')
export class CacheLevelsController {
  constructor(
    private readonly overview: CacheOverview,
    private readonly control: CacheControl,
  ) {}

  @Get()
  @RequirePermission(READ)
  @Returns(200, 'Every level with type, TTL, capacity, hit ratio and breaker', levelsSchema)
  async list(): Promise<z.infer<typeof levelsSchema>> {
    return { items: await this.overview.levels() };
  }

  @Patch(':level')
  @RequirePermission(MANAGE)
  @Problems({ 404: 'There is no such level' })
  @Returns(
    200,
    'Changes limits of a level at once, in every process and for good; null goes back to the settings',
    levelSchema,
  )
  async change(
    @Param('level', { schema: levelParamSchema }) level: z.infer<typeof levelParamSchema>,
    @Body({ schema: levelChangeSchema }) change: z.infer<typeof levelChangeSchema>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Level> {
    await this.control.changeLevel(level, change, principal);
    const changed = (await this.overview.levels()).find((one) => one.level === level);
    if (changed === undefined) throw new CacheLevelUnknownError(level);
    return changed;
  }
}
