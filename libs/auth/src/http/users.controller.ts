import { Body, Controller, Delete, Get, Param, Patch, Post, Put, Query } from '@nestjs/common';
import type { Credential, Principal } from '#libs/core';
import {
  CurrentCredential,
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
import type { UserView } from '../administration/user.store.js';
import { UsersService } from '../administration/users.service.js';
import {
  changeUserBody,
  createUserBody,
  idParams,
  passwordResetSchema,
  replaceGrantsBody,
  userSchema,
} from './auth.schemas.js';
import { pageOf } from './page-of.js';
import { toSession } from './session-view.js';
import { endedSchema, sessionSchema } from './sessions.schemas.js';

const READ = { resource: 'auth:users', action: 'read' };
const MANAGE = { resource: 'auth:users', action: 'manage' };

/** The users of the caller's organization. */
@HandsOutSecrets()
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
  @RequireSession()
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

  @Post(':id/password-reset')
  @RequireSession()
  @RequirePermission(MANAGE)
  @Returns(201, 'A token by which the user sets a new password once', passwordResetSchema)
  @Problems({ 409: 'Nobody can change their own account' })
  async issuePasswordReset(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<z.infer<typeof passwordResetSchema>> {
    const { token, expiresAt } = await this.users.issuePasswordReset(caller, id);
    return { token, expiresAt: expiresAt.toISOString() };
  }

  @Get(':id/sessions')
  @RequirePermission(READ)
  @Returns(200, 'The live sessions of a user, oldest first', pageSchema(sessionSchema))
  sessions(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @Query({ schema: pageQuerySchema }) query: PageQuery,
    @CurrentPrincipal() caller: Principal,
    @CurrentCredential() current: Credential,
  ): Promise<Page<z.infer<typeof sessionSchema>>> {
    return pageOf(query, async (limit, afterId) => {
      const sessions = await this.users.listSessions(caller, id, limit, afterId);
      return sessions.map((session) => toSession(session, current.id));
    });
  }

  @Delete(':id/sessions')
  @RequireSession()
  @RequirePermission(MANAGE)
  @Returns(200, 'Ends all sessions of a user', endedSchema)
  @Problems({ 409: 'Nobody can change their own account' })
  async endSessions(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @CurrentPrincipal() caller: Principal,
  ): Promise<z.infer<typeof endedSchema>> {
    return { ended: await this.users.endSessions(caller, id) };
  }
}
