import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import type { Principal } from '#libs/core';
import {
  CurrentPrincipal,
  HandsOutSecrets,
  Idempotent,
  type Page,
  pageQuerySchema,
  type PageQuery,
  pageSchema,
  Problems,
  RequireSession,
  Returns,
} from '#libs/http';
import type { z } from 'zod';
import type { ApiKeyView } from '../api-keys/api-key.store.js';
import { ApiKeys, type IssuedApiKey } from '../api-keys/api-keys.js';
import {
  apiKeySchema,
  changeApiKeyBody,
  createApiKeyBody,
  issuedApiKeySchema,
  rotateApiKeyBody,
} from './api-keys.schemas.js';
import { idParams } from './auth.schemas.js';
import { pageOf } from './page-of.js';

/**
 * The API keys of the caller. A key cannot reach these routes, or whoever has stolen one could make
 * others that outlive it.
 */
@HandsOutSecrets()
@Controller('v1/auth/api-keys')
@RequireSession()
export class ApiKeysController {
  constructor(private readonly keys: ApiKeys) {}

  @Get()
  @Returns(200, 'The API keys of the caller, the oldest first', pageSchema(apiKeySchema))
  list(
    @Query({ schema: pageQuerySchema }) query: PageQuery,
    @CurrentPrincipal() caller: Principal,
  ): Promise<Page<ApiKeyView>> {
    return pageOf(query, (limit, afterId) => this.keys.list(caller, limit, afterId));
  }

  @Post()
  @Idempotent({ shownOnce: ['key'] })
  @Returns(201, 'Makes an API key, and shows its text this once', issuedApiKeySchema)
  @Problems({ 409: 'The caller has as many API keys as anybody may have' })
  create(
    @Body({ schema: createApiKeyBody }) body: z.infer<typeof createApiKeyBody>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<IssuedApiKey> {
    return this.keys.create(caller, body);
  }

  @Get(':id')
  @Returns(200, 'An API key of the caller', apiKeySchema)
  get(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<ApiKeyView> {
    return this.keys.get(caller, id);
  }

  @Patch(':id')
  @Returns(200, 'Renames an API key, or limits what it may do and for how long', apiKeySchema)
  @Problems({ 409: 'It has ended' })
  change(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @Body({ schema: changeApiKeyBody }) body: z.infer<typeof changeApiKeyBody>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<ApiKeyView> {
    return this.keys.change(caller, id, body);
  }

  @Post(':id/rotate')
  @Idempotent({ shownOnce: ['key'] })
  @Returns(201, 'Makes the next text of an API key; the one before works on', issuedApiKeySchema)
  @Problems({ 409: 'It has ended' })
  rotate(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @Body({ schema: rotateApiKeyBody }) body: z.infer<typeof rotateApiKeyBody>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<IssuedApiKey> {
    return this.keys.rotate(caller, id, body ?? {});
  }

  @Delete(':id')
  @Returns(204, 'Ends an API key at once on every instance, for good')
  revoke(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<void> {
    return this.keys.revoke(caller, id);
  }
}
