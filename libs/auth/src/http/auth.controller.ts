import { Body, Controller, Get, Headers, Ip, Post } from '@nestjs/common';
import type { Principal } from '#libs/core';
import {
  HandsOutSecrets,
  type CredentialHeaders,
  CurrentPrincipal,
  Priority,
  Problems,
  Public,
  Returns,
} from '#libs/http';
import { RateLimit } from '#libs/resilience';
import type { z } from 'zod';
import { Authenticator } from '../accounts/authenticator.js';
import { Login } from '../accounts/login.js';
import { Registration } from '../accounts/registration.js';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';
import { deviceOf } from '../sessions/session-risk.js';
import { Sessions, type TokenPair } from '../sessions/sessions.js';
import {
  accountSchema,
  loginBody,
  logoutBody,
  refreshBody,
  registerBody,
  tokenPairSchema,
} from './auth.schemas.js';
import { credentialLimit } from './credential-limit.js';

/** Accounts and sessions of the caller. */
@HandsOutSecrets()
@Controller('v1/auth')
@Priority('critical')
export class AuthController {
  constructor(
    private readonly registration: Registration,
    private readonly loginService: Login,
    private readonly sessions: Sessions,
    private readonly authenticator: Authenticator,
  ) {}

  @Post('register')
  @Public()
  @RateLimit(credentialLimit)
  @Returns(201, 'Makes an account that owns an organization of its own', accountSchema)
  @Problems({ 403: 'Registration is closed', 409: 'No account can be made with this email' })
  async register(
    @Body({ schema: registerBody }) body: z.infer<typeof registerBody>,
    @Ip() address: string,
  ): Promise<z.infer<typeof accountSchema>> {
    return toAccount(await this.registration.register({ ...body, address }));
  }

  @Post('login')
  @Public()
  @RateLimit(credentialLimit)
  @Returns(200, 'Opens a session', tokenPairSchema)
  @Problems({ 401: 'The email or the password is wrong' })
  login(
    @Body({ schema: loginBody }) body: z.infer<typeof loginBody>,
    @Ip() address: string,
    @Headers('user-agent') userAgent: string | undefined,
  ): Promise<TokenPair> {
    return this.loginService.login({ ...body, address, userAgent: deviceOf(userAgent) });
  }

  @Post('refresh')
  @Public()
  @Returns(200, 'Exchanges a refresh token, which is good for this once', tokenPairSchema)
  @Problems({
    401: 'The refresh token is not valid, or was used before',
    409: 'Another request has just exchanged it',
  })
  refresh(
    @Body({ schema: refreshBody }) { refreshToken }: z.infer<typeof refreshBody>,
    @Ip() address: string,
    @Headers('user-agent') userAgent: string | undefined,
  ): Promise<TokenPair> {
    return this.sessions.refresh(refreshToken, { address, userAgent: deviceOf(userAgent) });
  }

  /**
   * Takes either token, so that a client whose access token has expired can log out too. Like
   * RFC 7009 it does not tell whether a refresh token was good.
   */
  @Post('logout')
  @Public()
  @Returns(204, 'Ends the session of the access token, of the refresh token in the body, or both')
  @Problems({ 401: 'Neither token is there, or the access token is not valid' })
  async logout(
    @Body({ schema: logoutBody }) body: z.infer<typeof logoutBody>,
    @Headers() headers: CredentialHeaders,
  ): Promise<void> {
    const refreshToken = body?.refreshToken;
    if (headers.authorization !== undefined || refreshToken === undefined) {
      const { credential } = await this.authenticator.authenticate({ headers });
      if (credential.kind !== 'session') throw new UnauthenticatedError('AUTH_TOKEN_INVALID');
      await this.sessions.end(credential.id);
    }
    if (refreshToken !== undefined) await this.sessions.endByRefreshToken(refreshToken);
  }

  @Get('me')
  @Returns(200, 'Who the caller is and what they may do', accountSchema)
  me(@CurrentPrincipal() principal: Principal): z.infer<typeof accountSchema> {
    return toAccount(principal);
  }
}

function toAccount({
  userId,
  email,
  organizationId,
  roles,
  grants,
  scope,
}: Principal): z.infer<typeof accountSchema> {
  return {
    id: userId,
    email,
    organizationId,
    roles: [...roles],
    grants: [...grants],
    ...(scope === undefined ? {} : { scope: [...scope] }),
  };
}
