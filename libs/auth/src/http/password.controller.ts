import { Body, Controller, Ip, Post } from '@nestjs/common';
import type { Credential, Principal } from '#libs/core';
import {
  CurrentCredential,
  CurrentPrincipal,
  HandsOutSecrets,
  Problems,
  Public,
  RequireSession,
  Returns,
} from '#libs/http';
import { RateLimit } from '#libs/resilience';
import type { z } from 'zod';
import { PasswordChange } from '../passwords/password-change.js';
import { changePasswordBody, resetPasswordBody } from './auth.schemas.js';
import { credentialLimit } from './credential-limit.js';

/** The password of the caller. */
@HandsOutSecrets()
@Controller('v1/auth/password')
export class PasswordController {
  constructor(private readonly passwords: PasswordChange) {}

  @Post()
  @RateLimit(credentialLimit)
  @RequireSession()
  @Returns(204, 'Changes the password of the caller, and ends their other sessions')
  @Problems({ 401: 'The current password is wrong' })
  change(
    @Body({ schema: changePasswordBody }) body: z.infer<typeof changePasswordBody>,
    @CurrentPrincipal() caller: Principal,
    @CurrentCredential() { id }: Credential,
  ): Promise<void> {
    const { currentPassword: current, newPassword: next } = body;
    return this.passwords.change(caller, id, { current, next });
  }

  @Post('reset')
  @RateLimit(credentialLimit)
  @Public()
  @Returns(204, 'Sets a password by the token of an administrator; ends all sessions and API keys')
  @Problems({ 401: 'The token is not valid, was used, or has expired' })
  reset(
    @Body({ schema: resetPasswordBody }) body: z.infer<typeof resetPasswordBody>,
    @Ip() address: string,
  ): Promise<void> {
    return this.passwords.reset(body.token, body.newPassword, address);
  }
}
