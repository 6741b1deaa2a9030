import { Body, Controller, Delete, Get, Param, Patch, Post } from '@nestjs/common';
import type { Principal } from '#libs/core';
import { CurrentPrincipal, Idempotent, Problems, RequirePermission, Returns } from '#libs/http';
import type { z } from 'zod';
import { CacheStrategies } from '../strategies/cache-strategies.js';
import { StrategyRegistry } from '../strategies/registry/strategy-registry.js';
import { StrategyMeter } from '../strategies/store/strategy-meter.js';
import type { StrategyStore } from '../strategies/store/strategy-store.js';
import { StrategyWarmUps } from '../strategies/strategy-warm-ups.js';
import { MANAGE, READ } from './permissions.js';
import {
  createdStrategySchema,
  newStrategySchema,
  optimisationResultSchema,
  optimiseSchema,
  strategiesSchema,
  strategyChangeSchema,
  strategyDetailsSchema,
  strategyIdSchema,
  strategySchema,
  strategyWarmedSchema,
} from './strategy.schemas.js';

type Provenance = z.infer<typeof strategyDetailsSchema>['provenance'];

/** Cache strategies: made from a workload or by hand, changed, optimised. */
@Controller('v1/perf/cache/strategies')
export class StrategiesController {
  constructor(
    private readonly strategies: CacheStrategies,
    private readonly registry: StrategyRegistry,
    private readonly meter: StrategyMeter,
    private readonly warmUps: StrategyWarmUps,
  ) {}

  @Get()
  @RequirePermission(READ)
  @Returns(200, 'The cache strategies by name, with their live figures', strategiesSchema)
  list(): z.infer<typeof strategiesSchema> {
    return { items: this.registry.all().map((store) => this.view(store)) };
  }

  @Post()
  @Idempotent()
  @RequirePermission(MANAGE)
  @Problems({
    409: 'The name is taken, or there are as many strategies as there may be',
    422: 'The workload is too small, or the levels that the type needs are not there',
  })
  @Returns(
    201,
    'Makes a strategy, from a workload (a trace, or a namespace in use) or as configured, and opens its levels',
    createdStrategySchema,
  )
  async create(
    @Body({ schema: newStrategySchema }) body: z.infer<typeof newStrategySchema>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof createdStrategySchema>> {
    const request = { ...body, by: principal.userId };
    const { store, plan } = await this.strategies.createCacheStrategy(request);
    return { ...this.details(store), expected: plan?.expected ?? null };
  }

  @Get(':id')
  @RequirePermission(READ)
  @Problems({ 404: 'There is no such strategy' })
  @Returns(
    200,
    'A strategy, by id or name, with where its configuration comes from',
    strategyDetailsSchema,
  )
  get(
    @Param('id', { schema: strategyIdSchema }) id: string,
  ): z.infer<typeof strategyDetailsSchema> {
    return this.details(this.registry.get(id));
  }

  @Patch(':id')
  @RequirePermission(MANAGE)
  @Problems({
    404: 'There is no such strategy',
    409: 'It has another version than the one given, or is being optimised',
  })
  @Returns(
    200,
    'Changes status or configuration, at once and in every process; what is not given stays',
    strategyDetailsSchema,
  )
  async change(
    @Param('id', { schema: strategyIdSchema }) id: string,
    @Body({ schema: strategyChangeSchema }) body: z.infer<typeof strategyChangeSchema>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof strategyDetailsSchema>> {
    return this.details(await this.strategies.change(id, { ...body, by: principal.userId }));
  }

  @Delete(':id')
  @RequirePermission(MANAGE)
  @Problems({ 404: 'There is no such strategy' })
  @Returns(204, 'Deletes a strategy and what it holds')
  async delete(
    @Param('id', { schema: strategyIdSchema }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    await this.strategies.delete(id, principal.userId);
  }

  @Post(':id/optimize')
  @RequirePermission(MANAGE)
  @Problems({ 404: 'There is no such strategy', 409: 'It is being optimised already' })
  @Returns(
    200,
    'Measures the strategy, tries changes, keeps those that are verified to be better, takes back the others',
    optimisationResultSchema,
  )
  optimize(
    @Param('id', { schema: strategyIdSchema }) id: string,
    @Body({ schema: optimiseSchema }) body: z.infer<typeof optimiseSchema>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof optimisationResultSchema>> {
    return this.strategies.optimizeCachePerformance(id, body.skipTypes, principal.userId);
  }

  @Post(':id/warm')
  @RequirePermission(MANAGE)
  @Problems({ 404: 'There is no such strategy', 422: 'No method with @WarmUp has the strategy' })
  @Returns(
    202,
    'Fills the caches of the strategy in the background, as its warm-up plan says',
    strategyWarmedSchema,
  )
  async warm(
    @Param('id', { schema: strategyIdSchema }) id: string,
  ): Promise<z.infer<typeof strategyWarmedSchema>> {
    return { jobs: await this.warmUps.start(id) };
  }

  private view(store: StrategyStore): z.infer<typeof strategySchema> {
    const { id, name, type, status, version, configuration, ...times } = store.current;
    return {
      id,
      name,
      type,
      status,
      version,
      configuration,
      createdAt: times.createdAt.toISOString(),
      updatedAt: times.updatedAt.toISOString(),
      lastOptimized: times.lastOptimized?.toISOString() ?? null,
      namespaces: store.openNamespaces().map(({ namespace }) => namespace),
      levels: store.levels(),
      figures: this.meter.figuresOf(store),
      policyState: { ...store.policyState() },
    };
  }

  private details(store: StrategyStore): z.infer<typeof strategyDetailsSchema> {
    // Read from jsonb, it is as plain as the schema says.
    const provenance = store.current.provenance as unknown as Provenance;
    return { ...this.view(store), provenance };
  }
}
