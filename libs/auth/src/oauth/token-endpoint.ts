import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, newId } from '#libs/core';
import { authEvents } from '../auth.events.js';
import { authSettings } from '../auth.settings.js';
import { OAuthError } from '../errors/oauth.error.js';
import { PrincipalCache } from '../principals/principal.cache.js';
import { RefreshTokens } from '../sessions/refresh-tokens.js';
import { type NewRefreshToken, SessionStore } from '../sessions/session.store.js';
import { AccessTokens } from '../tokens/access-tokens.js';
import { ClientAuthentication } from './client-authentication.js';
import {
  type ClientSession,
  ClientSessionStore,
  type NewClientSession,
} from './client-session.store.js';
import { GRANT_TYPES, type GrantType, type OAuthClient } from './oauth-client.js';
import { requireGrantType, scopeFor } from './oauth-client.js';
import { authorizationCodes, clientRefreshTokens } from './oauth-tokens.js';
import type { Parameters } from './parameters.js';
import { parseScope } from './scope.js';

/** RFC 6749, section 5.1. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly refresh_token?: string;
  readonly scope: string;
}

/** RFC 7636, section 4.1. */
const CODE_VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

/**
 * Exchanges what a client has for tokens: the code that a person let it have, a refresh token, or its
 * own credentials. Whatever it is, the access token names a session, limited to the scope; so a token
 * ends with its session, everywhere and at once, as that of a log-in does.
 */
@Injectable()
export class TokenEndpoint {
  constructor(
    private readonly authentication: ClientAuthentication,
    private readonly sessions: ClientSessionStore,
    private readonly allSessions: SessionStore,
    private readonly refreshTokens: RefreshTokens,
    private readonly accessTokens: AccessTokens,
    private readonly principals: PrincipalCache,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /** @throws OAuthError */
  async issue(parameters: Parameters, authorization?: string): Promise<TokenAnswer> {
    const asked = parameters.require('grant_type');
    const client = await this.authentication.authenticate(parameters, authorization);
    const grantType = GRANT_TYPES.find((known) => known === asked);
    if (grantType === undefined) {
      throw new OAuthError('unsupported_grant_type', 'There is no such grant type here.');
    }
    requireGrantType(client, grantType);
    return this.exchange(grantType, client, parameters);
  }

  private exchange(
    grantType: GrantType,
    client: OAuthClient,
    parameters: Parameters,
  ): Promise<TokenAnswer> {
    switch (grantType) {
      case 'authorization_code':
        return this.exchangeCode(client, parameters);
      case 'refresh_token':
        return this.exchangeRefreshToken(client, parameters);
      case 'client_credentials':
        return this.openService(client, parameters);
    }
  }

  private async exchangeCode(client: OAuthClient, parameters: Parameters): Promise<TokenAnswer> {
    const codeHash = authorizationCodes.hashOf(parameters.require('code'));
    const redirectUri = parameters.require('redirect_uri');
    const verifier = parameters.require('code_verifier');
    if (!CODE_VERIFIER.test(verifier)) {
      throw new OAuthError('invalid_request', 'The code_verifier is not one of RFC 7636.');
    }
    if (codeHash === undefined) throw codeInvalid();
    const codeChallenge = hash('sha256', verifier, 'base64url');
    const refreshes = client.grantTypes.includes('refresh_token');
    const next = refreshes ? this.refreshTokens.next(clientRefreshTokens) : undefined;
    const { session, wasUnused } = await this.sessions.exchange(
      { codeHash, redirectUri, codeChallenge },
      this.newSession(client.id, next?.row),
    );
    if (session !== undefined) {
      return this.answer('authorization_code', client, session, next?.token);
    }
    if (!wasUnused) await this.endReplayed(codeHash);
    throw codeInvalid();
  }

  /** RFC 6749, section 4.1.2: two who have a code are one too many, and nobody knows which. */
  private async endReplayed(codeHash: Buffer): Promise<void> {
    const code = await this.sessions.findCode(codeHash);
    if (code === undefined || code.usedAt === null || code.sessionId === null) return;
    const { sessionId, userId, clientId } = code;
    await this.allSessions.revoke(sessionId, this.clock.now(), 'reuse');
    await this.principals.forgetSession(sessionId);
    authEvents.publish(() => ({ type: 'oauth-code-reused', clientId, userId, sessionId }));
  }

  private async exchangeRefreshToken(
    client: OAuthClient,
    parameters: Parameters,
  ): Promise<TokenAnswer> {
    const tokenHash = clientRefreshTokens.hashOf(parameters.require('refresh_token'));
    if (tokenHash === undefined) throw refreshTokenInvalid();
    const scope = parameters.get('scope');
    if (scope !== undefined) await this.requireSameScope(tokenHash, scope);
    const { token, row } = this.refreshTokens.next(clientRefreshTokens);
    const { sessionMaxAgeSeconds } = this.settings.get(authSettings);
    const session = await this.sessions.rotate(tokenHash, client.id, row, sessionMaxAgeSeconds);
    if (session === undefined) {
      await this.refreshTokens.refuse(tokenHash);
      throw refreshTokenInvalid();
    }
    return this.answer('refresh_token', client, session, token);
  }

  /** A session has one scope for all its tokens, so a refresh can neither widen nor narrow it. */
  private async requireSameScope(tokenHash: Buffer, asked: string): Promise<void> {
    const facts = await this.sessions.factsOfRefreshToken(tokenHash, this.clock.now());
    if (facts === undefined) return;
    const tokens = parseScope(asked)?.toSorted().join(' ');
    if (tokens === facts.scope.split(' ').toSorted().join(' ')) return;
    throw new OAuthError('invalid_scope', 'A refresh keeps the scope that the session has.');
  }

  private async openService(client: OAuthClient, parameters: Parameters): Promise<TokenAnswer> {
    const scope = scopeFor(client, parameters.get('scope'));
    const opened = await this.sessions.openService(this.newSession(client.id, undefined), scope);
    if (opened === undefined) {
      throw new OAuthError('unauthorized_client', 'The account of the client is disabled.');
    }
    return this.answer('client_credentials', client, opened, undefined);
  }

  private newSession(clientId: string, refresh: NewRefreshToken | undefined): NewClientSession {
    const now = this.clock.now();
    const { accessTokenTtlSeconds } = this.settings.get(authSettings);
    const expiresAt = refresh?.expiresAt ?? new Date(now.getTime() + accessTokenTtlSeconds * 1000);
    return { sessionId: newId(now.getTime()), clientId, now, expiresAt, refresh };
  }

  private async answer(
    grantType: GrantType,
    client: OAuthClient,
    { userId, sessionId, scope }: ClientSession,
    refreshToken: string | undefined,
  ): Promise<TokenAnswer> {
    const clientId = client.id;
    const { token, ttlSeconds } = await this.accessTokens.issue(userId, sessionId, {
      clientId,
      scope,
    });
    authEvents.publish(() => ({
      type: 'oauth-tokens-issued',
      grantType,
      clientId,
      userId,
      sessionId,
    }));
    return {
      access_token: token,
      token_type: 'Bearer',
      expires_in: ttlSeconds,
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      scope,
    };
  }
}

function codeInvalid(): OAuthError {
  return new OAuthError(
    'invalid_grant',
    'The code is not valid, or not any more, or not for this.',
  );
}

function refreshTokenInvalid(): OAuthError {
  return new OAuthError('invalid_grant', 'The refresh token is not valid, or not any more.');
}
