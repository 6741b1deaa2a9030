import { Injectable } from '@nestjs/common';
import type { Principal } from '#libs/core';
import type { GuardedRequest } from '#libs/http';
import { ApiKeyCache } from '../api-keys/api-key.cache.js';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';
import { PrincipalCache } from '../principals/principal.cache.js';
import { AccessTokens } from '../tokens/access-tokens.js';

/** Looks again at who asked for something that goes on. */
@Injectable()
export class LastingCaller {
  constructor(
    private readonly accessTokens: AccessTokens,
    private readonly principals: PrincipalCache,
    private readonly apiKeys: ApiKeyCache,
  ) {}

  /**
   * The principal behind a request that was authenticated before, as it is now. An answer that has an end
   * may outlive the token by which it was asked for, but not the session; one without an end neither.
   * No use of an API key is counted.
   * @throws UnauthenticatedError when the session or the key has ended or the user is disabled, or for
   * something endless when the token has expired
   */
  async principalOf(request: GuardedRequest, isEndless: boolean): Promise<Principal> {
    const { principal, credential, headers } = request;
    if (principal === undefined || credential === undefined) {
      throw new UnauthenticatedError('AUTH_TOKEN_MISSING');
    }
    const header = String(headers['x-api-key'] ?? headers.authorization);
    const text = header.replace(/^bearer +/i, '').trimEnd();
    if (credential.kind === 'api-key') {
      const key = await this.apiKeys.find(text);
      if (key === undefined) throw new UnauthenticatedError('AUTH_API_KEY_INVALID');
      return key.principal;
    }
    if (isEndless) await this.accessTokens.verify(text);
    const now = await this.principals.ofSession(principal.userId, credential.id);
    if (now === undefined) throw new UnauthenticatedError('AUTH_TOKEN_INVALID');
    return now;
  }
}
