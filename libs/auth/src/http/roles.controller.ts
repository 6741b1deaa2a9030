import { Body, Controller, Delete, Get, Param, Post, Put, Query } from '@nestjs/common';
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
  Returns,
} from '#libs/http';
import type { z } from 'zod';
import { RolesService, type RoleView } from '../administration/roles.service.js';
import { createRoleBody, idParams, replaceGrantsBody, roleSchema } from './auth.schemas.js';
import { pageOf } from './page-of.js';

const READ = { resource: 'auth:roles', action: 'read' };
const MANAGE = { resource: 'auth:roles', action: 'manage' };

/** The roles of the caller's organization, and the built-in ones. */
@HandsOutSecrets()
@Controller('v1/auth/roles')
export class RolesController {
  constructor(private readonly roles: RolesService) {}

  @Get()
  @RequirePermission(READ)
  @Returns(200, 'The built-in roles and those of the organization', pageSchema(roleSchema))
  list(
    @Query({ schema: pageQuerySchema }) query: PageQuery,
    @CurrentPrincipal() caller: Principal,
  ): Promise<Page<RoleView>> {
    return pageOf(query, (limit, afterId) => this.roles.list(caller, limit, afterId));
  }

  @Post()
  @Idempotent()
  @RequirePermission(MANAGE)
  @Returns(201, 'Makes a role in the organization', roleSchema)
  @Problems({ 409: 'There is a role of this name' })
  create(
    @Body({ schema: createRoleBody }) body: z.infer<typeof createRoleBody>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<RoleView> {
    return this.roles.create(caller, body);
  }

  @Put(':id/grants')
  @RequirePermission(MANAGE)
  @Returns(200, 'Replaces the grants of a role', roleSchema)
  replaceGrants(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @Body({ schema: replaceGrantsBody }) { grants }: z.infer<typeof replaceGrantsBody>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<RoleView> {
    return this.roles.replaceGrants(caller, id, grants);
  }

  @Delete(':id')
  @RequirePermission(MANAGE)
  @Returns(204, 'Deletes a role and takes it from everybody who has it')
  delete(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<void> {
    return this.roles.delete(caller, id);
  }
}
