import { Body, Controller, Get, Param, Patch, Post, Put, Query } from '@nestjs/common';
import type { Principal } from '#libs/core';
import {
  CurrentPrincipal,
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
import type { UserView } from '../administration/user.store.js';
import { UsersService } from '../administration/users.service.js';
import {
  changeUserBody,
  createUserBody,
  idParams,
  replaceGrantsBody,
  userSchema,
} from './auth.schemas.js';
import { pageOf } from './page-of.js';

const READ = { resource: 'auth:users', action: 'read' };
const MANAGE = { resource: 'auth:users', action: 'manage' };

/** The users of the caller's organization. */
@Controller('v1/auth/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @RequirePermission(READ)
  @Returns(200, 'The users of the organization, oldest first', pageSchema(userSchema))
  list(
    @Query({ schema: pageQuerySchema }) query: PageQuery,
    @CurrentPrincipal() caller: Principal,
  ): Promise<Page<UserView>> {
    return pageOf(query, (limit, afterId) => this.users.list(caller, limit, afterId));
  }

  @Post()
  @Idempotent()
  @RequirePermission(MANAGE)
  @Returns(201, 'Makes a user in the organization', userSchema)
  @Problems({ 409: 'No account can be made with this email' })
  create(
    @Body({ schema: createUserBody }) body: z.infer<typeof createUserBody>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<UserView> {
    return this.users.create(caller, body);
  }

  @Patch(':id')
  @RequirePermission(MANAGE)
  @Returns(200, 'Disables or enables a user, or gives them other roles', userSchema)
  @Problems({ 409: 'Nobody can change their own account' })
  change(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @Body({ schema: changeUserBody }) body: z.infer<typeof changeUserBody>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<UserView> {
    return this.users.change(caller, id, body);
  }

  @Put(':id/grants')
  @RequirePermission(MANAGE)
  @Returns(200, 'Replaces the grants that a user has beside their roles', userSchema)
  @Problems({ 409: 'Nobody can change their own account' })
  replaceGrants(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @Body({ schema: replaceGrantsBody }) { grants }: z.infer<typeof replaceGrantsBody>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<UserView> {
    return this.users.replaceGrants(caller, id, grants);
  }
}
