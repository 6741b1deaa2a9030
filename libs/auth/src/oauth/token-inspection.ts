import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { authSettings } from '../auth.settings.js';
import { OAuthError } from '../errors/oauth.error.js';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';
import { Sessions } from '../sessions/sessions.js';
import { AccessTokens } from '../tokens/access-tokens.js';
import { ClientAuthentication } from './client-authentication.js';
import { ClientSessionStore, type TokenFacts } from './client-session.store.js';
import { clientRefreshTokens } from './oauth-tokens.js';
import type { Parameters } from './parameters.js';

/** RFC 7662, section 2.2. */
export type Introspection = { readonly active: false } | ActiveToken;

interface ActiveToken {
  readonly active: true;
  readonly sub: string;
  readonly username: string;
  readonly iss: string;
  readonly aud: string;
  readonly exp: number;
  readonly scope?: string;
  readonly client_id?: string;
  readonly token_type?: 'Bearer';
}

/** Tells clients of tokens (RFC 7662), and ends those that they give back (RFC 7009). */
@Injectable()
export class TokenInspection {
  constructor(
    private readonly authentication: ClientAuthentication,
    private readonly clientSessions: ClientSessionStore,
    private readonly sessions: Sessions,
    private readonly accessTokens: AccessTokens,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /**
   * Whether a token is alive at this moment, and what it is for. Only for confidential clients, and
   * of tokens of the own organization or of the client itself: others are not active for it.
   * @throws OAuthError
   */
  async introspect(parameters: Parameters, authorization?: string): Promise<Introspection> {
    const client = await this.authentication.authenticate(parameters, authorization);
    if (client.type === 'public') {
      throw new OAuthError('invalid_client', 'Only a client that has a secret may ask.');
    }
    const token = parameters.require('token');
    const facts = await this.factsOf(token);
    const isOwn = facts?.clientId === client.id || facts?.organizationId === client.organizationId;
    if (facts === undefined || !isOwn) return { active: false };
    const { issuer, audience } = this.settings.get(authSettings);
    return {
      active: true,
      sub: facts.userId,
      username: facts.email,
      iss: issuer,
      aud: audience,
      exp: Math.floor(facts.expiresAt.getTime() / 1000),
      ...(facts.scope === '' ? {} : { scope: facts.scope }),
      ...(facts.clientId === null ? {} : { client_id: facts.clientId }),
      ...(isRefreshToken(token) ? {} : { token_type: 'Bearer' }),
    };
  }

  /**
   * Ends the session of a token, and so every token of it. One that is not alive is no error.
   * @throws OAuthError also when the token is another client's
   */
  async revoke(parameters: Parameters, authorization?: string): Promise<void> {
    const client = await this.authentication.authenticate(parameters, authorization);
    const facts = await this.factsOf(parameters.require('token'));
    if (facts === undefined) return;
    if (facts.clientId !== client.id) {
      throw new OAuthError('unauthorized_client', 'The token was not issued to this client.');
    }
    await this.sessions.end(facts.sessionId);
  }

  private async factsOf(token: string): Promise<TokenFacts | undefined> {
    const now = this.clock.now();
    const tokenHash = clientRefreshTokens.hashOf(token);
    if (tokenHash !== undefined) return this.clientSessions.factsOfRefreshToken(tokenHash, now);
    try {
      const { userId, sessionId, expiresAtMs } = await this.accessTokens.verify(token);
      const facts = await this.clientSessions.factsOfSession(sessionId, now);
      if (facts?.userId !== userId) return undefined;
      return { ...facts, expiresAt: new Date(expiresAtMs) };
    } catch (error) {
      if (error instanceof UnauthenticatedError) return undefined;
      throw error;
    }
  }
}

function isRefreshToken(token: string): boolean {
  return clientRefreshTokens.hashOf(token) !== undefined;
}
