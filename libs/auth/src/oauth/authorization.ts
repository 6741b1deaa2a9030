import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, isUuid } from '#libs/core';
import type { VerifiedLogin } from '../accounts/login.js';
import { authEvents } from '../auth.events.js';
import { authSettings } from '../auth.settings.js';
import { OAuthError } from '../errors/oauth.error.js';
import { AuthorizationCodeStore } from './authorization-code.store.js';
import { type OAuthClient, requireGrantType, scopeFor } from './oauth-client.js';
import { OAuthClientStore } from './oauth-client.store.js';
import { authorizationCodes } from './oauth-tokens.js';
import { oauthSettings } from './oauth.settings.js';
import type { Parameters } from './parameters.js';
import { withParameters } from './redirect-uri.js';

/** A request that a person may be asked about. */
export interface AuthorizationRequest {
  readonly client: OAuthClient;
  readonly redirectUri: string;
  readonly scope: string;
  readonly codeChallenge: string;
  /** Given back as it is; RFC 6749 leaves to the client what it means. */
  readonly state: string | undefined;
}

/** What comes of an authorization request: something to ask a person, or an answer to the client. */
export type AuthorizationOutcome =
  | { readonly kind: 'ask'; readonly request: AuthorizationRequest }
  | { readonly kind: 'redirect'; readonly location: string };

/** SHA-256 in base64url. */
const CODE_CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
const HOUR_MS = 3_600_000;

/**
 * The authorization endpoint, from request to code (RFC 6749, section 4.1). PKCE by S256 is demanded of
 * every client (RFC 9700), and every answer says who gives it (RFC 9207).
 *
 * As long as the client and the address to answer to are not known to be right, nobody is sent
 * anywhere: the person is told instead. Any other fault is told to the client.
 */
@Injectable()
export class Authorization {
  constructor(
    private readonly clients: OAuthClientStore,
    private readonly codes: AuthorizationCodeStore,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /** @throws OAuthError when there is nobody to answer to */
  async read(parameters: Parameters): Promise<AuthorizationOutcome> {
    const clientId = parameters.require('client_id');
    const client = isUuid(clientId) ? await this.clients.findActive(clientId) : undefined;
    if (client === undefined) throw new OAuthError('invalid_client', 'There is no such client.');
    const redirectUri = parameters.require('redirect_uri');
    if (!client.redirectUris.includes(redirectUri)) {
      throw new OAuthError('invalid_request', 'The redirect_uri is none of the client.');
    }
    const state = parameters.get('state');
    try {
      const request = { client, redirectUri, state, ...readDemand(client, parameters) };
      return { kind: 'ask', request };
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      return { kind: 'redirect', location: this.refusal({ redirectUri, state }, error) };
    }
  }

  /** The person has said yes. @returns where to send them */
  async allow(
    request: AuthorizationRequest,
    { userId, passwordHash }: Pick<VerifiedLogin, 'userId' | 'passwordHash'>,
  ): Promise<string> {
    const { client, redirectUri, scope, codeChallenge, state } = request;
    const { token: code, tokenHash: codeHash } = authorizationCodes.issue();
    const { codeTtlSeconds, codeReplayWatchHours } = this.settings.get(oauthSettings);
    const nowMs = this.clock.nowMs();
    const isKept = await this.codes.add({
      codeHash,
      clientId: client.id,
      userId,
      passwordHash,
      redirectUri,
      scope,
      codeChallenge,
      validUntil: new Date(nowMs + codeTtlSeconds * 1000),
      expiresAt: new Date(nowMs + codeReplayWatchHours * HOUR_MS),
    });
    if (!isKept) {
      return this.refusal(
        request,
        new OAuthError('access_denied', 'The client is not for this user, or they may not log in.'),
      );
    }
    authEvents.publish(() => ({ type: 'oauth-consent', clientId: client.id, userId, scope }));
    return withParameters(redirectUri, { code, state, iss: this.issuer });
  }

  /** The person has said no. @returns where to send them */
  deny(request: AuthorizationRequest): string {
    return this.refusal(request, new OAuthError('access_denied', 'The person has said no.'));
  }

  private refusal(
    { redirectUri, state }: Pick<AuthorizationRequest, 'redirectUri' | 'state'>,
    { error, message }: OAuthError,
  ): string {
    const answer = { error, error_description: message, state, iss: this.issuer };
    return withParameters(redirectUri, answer);
  }

  private get issuer(): string {
    return this.settings.get(authSettings).issuer;
  }
}

function readDemand(
  client: OAuthClient,
  parameters: Parameters,
): Pick<AuthorizationRequest, 'scope' | 'codeChallenge'> {
  if (parameters.require('response_type') !== 'code') {
    throw new OAuthError('unsupported_response_type', 'Only the response type code is there.');
  }
  requireGrantType(client, 'authorization_code');
  if ((parameters.get('response_mode') ?? 'query') !== 'query') {
    throw new OAuthError('invalid_request', 'Only the response mode query is there.');
  }
  const codeChallenge = parameters.require('code_challenge');
  if (parameters.get('code_challenge_method') !== 'S256') {
    throw new OAuthError('invalid_request', 'The code_challenge_method must be S256.');
  }
  if (!CODE_CHALLENGE.test(codeChallenge)) {
    throw new OAuthError('invalid_request', 'The code_challenge is not one of S256.');
  }
  return { scope: scopeFor(client, parameters.get('scope')), codeChallenge };
}
