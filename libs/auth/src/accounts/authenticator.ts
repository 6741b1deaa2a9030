import { Injectable } from '@nestjs/common';
import { type Credential, PantheonError, type Principal } from '#libs/core';
import type { CredentialHeaders } from '#libs/http';
import { ApiKeyCache, cacheKeyOf, type LiveApiKey } from '../api-keys/api-key.cache.js';
import { API_KEY_PREFIX } from '../api-keys/api-key-text.js';
import { ApiKeyUsage } from '../api-keys/api-key-usage.js';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';
import { PrincipalCache } from '../principals/principal.cache.js';
import { type AccessClaims, AccessTokens } from '../tokens/access-tokens.js';

/** Who a request comes from, and how they have shown it. */
export interface Authentication {
  readonly principal: Principal;
  readonly credential: Credential;
}

/** What is read of a request to find out who is asking. */
export interface CredentialSource {
  readonly headers: CredentialHeaders;
  /** The connection that the request came by. */
  readonly socket?: object;
  /** Address of the client. */
  readonly ip?: string;
}

/** RFC 6750: the scheme in any case, one space or more, one token. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i;
const USUAL_START = 'Bearer ';
/** Ours have 69 characters; what is much longer is not worth hashing. */
const MAX_API_KEY_CHARACTERS = 128;

/**
 * Turns the headers of a request into a principal: `Authorization: Bearer` with an access token or
 * an API key, or `X-API-Key` with an API key.
 */
@Injectable()
export class Authenticator {
  private readonly remembered = new WeakMap<object, Remembered>();

  constructor(
    private readonly accessTokens: AccessTokens,
    private readonly principals: PrincipalCache,
    private readonly apiKeys: ApiKeyCache,
    private readonly usage: ApiKeyUsage,
  ) {}

  /**
   * Verifies the token and looks up its session, or the API key, from memory when they were seen
   * before: the session or the key must be alive and the user active at this moment.
   * @throws UnauthenticatedError AUTH_TOKEN_MISSING, AUTH_TOKEN_EXPIRED, AUTH_TOKEN_INVALID or
   * AUTH_API_KEY_INVALID
   * @throws PantheonError AUTH_CREDENTIALS_AMBIGUOUS for a token and a key at once
   */
  async authenticate(source: CredentialSource): Promise<Authentication> {
    const text = credentialOf(source.headers);
    if (isApiKey(text)) return this.useOf(await this.keyOf(text), source);
    const { userId, sessionId } = await this.accessTokens.verify(text);
    const principal = await this.principals.ofSession(userId, sessionId);
    if (principal === undefined) throw new UnauthenticatedError('AUTH_TOKEN_INVALID');
    return { principal, credential: { kind: 'session', id: sessionId } };
  }

  /** As `authenticate`, when everything is in memory; undefined says that it is not. */
  authenticateFromMemory(source: CredentialSource): Authentication | undefined {
    const known = this.recall(source);
    if (known === undefined) return undefined;
    if (known.claims === undefined) {
      const key = this.apiKeys.held(known.apiKey);
      return key === undefined ? undefined : this.useOf(key, source);
    }
    const { userId, sessionId } = known.claims;
    const principal = this.principals.held(userId, sessionId);
    if (principal === undefined) return undefined;
    return { principal, credential: { kind: 'session', id: sessionId } };
  }

  /**
   * Nearly every request has the headers of the one before it on its connection; comparing the two
   * costs a fraction of hashing a token. They are forgotten with the connection.
   */
  private recall({ headers, socket }: CredentialSource): Remembered | undefined {
    const last = socket === undefined ? undefined : this.remembered.get(socket);
    if (
      last !== undefined &&
      last.authorization === headers.authorization &&
      last.header === headers['x-api-key'] &&
      (last.claims === undefined || this.accessTokens.isLive(last.claims))
    ) {
      return last;
    }
    const text = textOf(headers);
    const isKey = isApiKey(text);
    const claims = isKey ? undefined : this.accessTokens.verified(text);
    if (!isKey && claims === undefined) return undefined;
    const apiKey = isKey ? cacheKeyOf(apiKeyOf(text)) : '';
    const known = new Remembered(headers, apiKey, claims);
    if (socket !== undefined) this.remembered.set(socket, known);
    return known;
  }

  private async keyOf(text: string): Promise<LiveApiKey> {
    const key = await this.apiKeys.find(text);
    if (key === undefined) throw new UnauthenticatedError('AUTH_API_KEY_INVALID');
    return key;
  }

  private useOf(key: LiveApiKey, source: CredentialSource): Authentication {
    this.usage.count(key.usage, source);
    return key;
  }
}

/** The last credential that came by a connection. */
class Remembered {
  readonly authorization: string | undefined;
  readonly header: string | string[] | undefined;

  /**
   * @param apiKey by what an API key is held in memory
   * @param claims what a token says; undefined for an API key
   */
  constructor(
    headers: CredentialHeaders,
    readonly apiKey: string,
    readonly claims: AccessClaims | undefined,
  ) {
    this.authorization = headers.authorization;
    this.header = headers['x-api-key'];
  }
}

/**
 * As `credentialOf`, without looking at each character: what has not the form of a token is not found
 * in memory either, and is looked at again then.
 */
function textOf(headers: CredentialHeaders): string {
  const { authorization } = headers;
  return headers['x-api-key'] === undefined && authorization?.startsWith(USUAL_START) === true
    ? authorization.slice(USUAL_START.length)
    : credentialOf(headers);
}

/**
 * The token or the API key of a request.
 * @throws UnauthenticatedError when there is none, or it has not its form
 */
function credentialOf(headers: CredentialHeaders): string {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  if (apiKey !== undefined) {
    if (authorization !== undefined) throw ambiguous();
    return apiKeyOf(apiKey);
  }
  if (authorization === undefined || authorization === '') {
    throw new UnauthenticatedError('AUTH_TOKEN_MISSING');
  }
  const text = BEARER.exec(authorization)?.[1];
  if (text === undefined) throw new UnauthenticatedError('AUTH_TOKEN_INVALID');
  return isApiKey(text) ? apiKeyOf(text) : text;
}

function isApiKey(text: string): boolean {
  return text.startsWith(API_KEY_PREFIX);
}

function apiKeyOf(text: string | string[]): string {
  if (typeof text !== 'string' || !isApiKey(text) || text.length > MAX_API_KEY_CHARACTERS) {
    throw new UnauthenticatedError('AUTH_API_KEY_INVALID');
  }
  return text;
}

/** RFC 6750, section 2: one way to show who one is, or it is open which counts. */
function ambiguous(): PantheonError {
  return new PantheonError(
    'AUTH_CREDENTIALS_AMBIGUOUS',
    'Send an access token or an API key, not both.',
    { kind: 'invalid' },
  );
}
