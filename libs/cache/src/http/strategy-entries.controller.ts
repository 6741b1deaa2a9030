import { Body, Controller, Delete, Get, Param, Put } from '@nestjs/common';
import { Problems, RequirePermission, Returns } from '#libs/http';
import type { z } from 'zod';
import { CacheValueForbiddenError } from '../errors/cache-administration.errors.js';
import {
  StrategyEntryNotFoundError,
  StrategyStatusError,
} from '../strategies/errors/strategy.errors.js';
import { StrategyRegistry } from '../strategies/registry/strategy-registry.js';
import type { StrategyStore } from '../strategies/store/strategy-store.js';
import { MANAGE } from './permissions.js';
import {
  entryKeySchema,
  entryReceiptSchema,
  entrySchema,
  newEntrySchema,
  strategyIdSchema,
} from './strategy.schemas.js';

/** Reads and writes the store of a strategy itself. Values are what users wrote: it needs `manage`. */
@Controller('v1/perf/cache/strategies/:id/entries')
@RequirePermission(MANAGE)
export class StrategyEntriesController {
  constructor(private readonly registry: StrategyRegistry) {}

  @Get(':key')
  @Problems({ 404: 'There is no such strategy, or it has no fresh entry of this key' })
  @Returns(200, 'An entry of the strategy, with where it lay', entrySchema)
  async get(
    @Param('id', { schema: strategyIdSchema }) id: string,
    @Param('key', { schema: entryKeySchema }) key: string,
  ): Promise<z.infer<typeof entrySchema>> {
    const answer = await this.store(id).get(key);
    if (answer === undefined) throw new StrategyEntryNotFoundError(key);
    return {
      key,
      value: answer.value as z.infer<typeof entrySchema>['value'],
      source: answer.source,
      createdAt: new Date(answer.createdMs).toISOString(),
      expiresAt: new Date(answer.expiresMs).toISOString(),
    };
  }

  @Put(':key')
  @Problems({ 404: 'There is no such strategy', 409: 'The strategy is disabled' })
  @Returns(200, 'Stores a JSON value in every level of the strategy', entryReceiptSchema)
  async put(
    @Param('id', { schema: strategyIdSchema }) id: string,
    @Param('key', { schema: entryKeySchema }) key: string,
    @Body({ schema: newEntrySchema }) body: z.infer<typeof newEntrySchema>,
  ): Promise<z.infer<typeof entryReceiptSchema>> {
    const store = this.store(id);
    const receipt = await store.set(key, body.value, body.ttlMs);
    if (receipt === undefined) {
      throw new StrategyStatusError(store.current.name, 'disabled', 'it stores nothing.');
    }
    return { key, acknowledged: receipt.acknowledged };
  }

  @Delete(':key')
  @Problems({ 404: 'There is no such strategy' })
  @Returns(200, 'Deletes a key from every level and every process', entryReceiptSchema)
  async delete(
    @Param('id', { schema: strategyIdSchema }) id: string,
    @Param('key', { schema: entryKeySchema }) key: string,
  ): Promise<z.infer<typeof entryReceiptSchema>> {
    const { acknowledged } = await this.store(id).delete(key);
    return { key, acknowledged };
  }

  private store(id: string): StrategyStore {
    const store = this.registry.get(id);
    if (store.current.configuration.kind === 'session') {
      throw new CacheValueForbiddenError('the strategy holds what belongs to sessions');
    }
    return store;
  }
}
