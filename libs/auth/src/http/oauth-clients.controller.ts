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
  RequirePermission,
  RequireSession,
  Returns,
} from '#libs/http';
import type { z } from 'zod';
import type { OAuthClient } from '../oauth/oauth-client.js';
import { type ClientAndSecret, OAuthClients } from '../oauth/oauth-clients.service.js';
import { idParams } from './auth.schemas.js';
import {
  changeClientBody,
  clientAndSecretSchema,
  clientSchema,
  createClientBody,
  replaceSecretBody,
} from './oauth.schemas.js';
import { pageOf } from './page-of.js';

const READ = { resource: 'auth:clients', action: 'read' };
const MANAGE = { resource: 'auth:clients', action: 'manage' };

type ClientView = z.infer<typeof clientSchema>;
type ClientAndSecretView = z.infer<typeof clientAndSecretSchema>;

/** The clients of OAuth 2.0 of the caller's organization. */
@HandsOutSecrets()
@Controller('v1/auth/clients')
export class OAuthClientsController {
  constructor(private readonly clients: OAuthClients) {}

  @Get()
  @RequirePermission(READ)
  @Returns(200, 'The clients of the organization, oldest first', pageSchema(clientSchema))
  async list(
    @Query({ schema: pageQuerySchema }) query: PageQuery,
    @CurrentPrincipal() caller: Principal,
  ): Promise<Page<ClientView>> {
    const page = await pageOf(query, (limit, afterId) => this.clients.list(caller, limit, afterId));
    return { ...page, items: page.items.map(viewOf) };
  }

  @Post()
  @RequireSession()
  @Idempotent({ shownOnce: ['secret'] })
  @RequirePermission(MANAGE)
  @Returns(201, 'Makes a client, and shows its secret this once', clientAndSecretSchema)
  @Problems({ 409: 'The organization has as many clients as it may' })
  async create(
    @Body({ schema: createClientBody }) body: z.infer<typeof createClientBody>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<ClientAndSecretView> {
    return withSecret(await this.clients.create(caller, body));
  }

  @Get(':id')
  @RequirePermission(READ)
  @Returns(200, 'One client', clientSchema)
  async get(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<ClientView> {
    return viewOf(await this.clients.get(caller, id));
  }

  @Patch(':id')
  @RequireSession()
  @RequirePermission(MANAGE)
  @Returns(200, 'Changes a client; one that may do less then loses its sessions', clientSchema)
  async change(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @Body({ schema: changeClientBody }) body: z.infer<typeof changeClientBody>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<ClientView> {
    return viewOf(await this.clients.change(caller, id, body));
  }

  @Post(':id/secret')
  @RequireSession()
  @RequirePermission(MANAGE)
  @Returns(200, 'Gives a client another secret, shown this once', clientAndSecretSchema)
  async replaceSecret(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @Body({ schema: replaceSecretBody }) { betrayed }: z.infer<typeof replaceSecretBody>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<ClientAndSecretView> {
    return withSecret(await this.clients.replaceSecret(caller, id, betrayed));
  }

  @Delete(':id')
  @RequirePermission(MANAGE)
  @Returns(204, 'Deletes a client; its tokens end at once')
  delete(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<void> {
    return this.clients.delete(caller, id);
  }
}

function viewOf(client: OAuthClient): ClientView {
  const { id, name, type, shared, serviceUserId, disabled } = client;
  return {
    id,
    name,
    type,
    grantTypes: [...client.grantTypes],
    redirectUris: [...client.redirectUris],
    scopes: [...client.scopes],
    shared,
    serviceUserId,
    disabled,
    createdAt: client.createdAt.toISOString(),
    previousSecretExpiresAt: client.previousSecretExpiresAt?.toISOString() ?? null,
  };
}

function withSecret({ client, secret }: ClientAndSecret): ClientAndSecretView {
  return { ...viewOf(client), secret };
}
