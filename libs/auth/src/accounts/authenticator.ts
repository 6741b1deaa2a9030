import { Injectable } from '@nestjs/common';
import type { Credential, Principal } from '#libs/core';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';
import { PrincipalCache } from '../principals/principal.cache.js';
import { type AccessClaims, AccessTokens } from '../tokens/access-tokens.js';

/** Who a request comes from, and how they have shown it. */
export interface Authentication {
  readonly principal: Principal;
  readonly credential: Credential;
}

/** RFC 6750: the scheme in any case, one space or more, one token. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i;

/** Turns an `Authorization` header into a principal. */
@Injectable()
export class Authenticator {
  private readonly remembered = new WeakMap<object, Remembered>();

  constructor(
    private readonly accessTokens: AccessTokens,
    private readonly principals: PrincipalCache,
  ) {}

  /**
   * Verifies the token and looks up its session, both from memory when they were seen before: the
   * session must be alive and the user active at this moment.
   * @throws UnauthenticatedError AUTH_TOKEN_MISSING, AUTH_TOKEN_EXPIRED or AUTH_TOKEN_INVALID
   */
  async authenticate(header: string | undefined): Promise<Authentication> {
    const { userId, sessionId } = await this.accessTokens.verify(tokenOf(header));
    const principal = await this.principals.ofSession(userId, sessionId);
    if (principal === undefined) throw new UnauthenticatedError('AUTH_TOKEN_INVALID');
    return { principal, credential: { kind: 'session', id: sessionId } };
  }

  /**
   * As `authenticate`, when everything is in memory; undefined says that it is not.
   * @throws UnauthenticatedError AUTH_TOKEN_MISSING or AUTH_TOKEN_INVALID
   */
  authenticateFromMemory(
    header: string | undefined,
    connection?: object,
  ): Authentication | undefined {
    const claims = this.claimsOf(header, connection);
    if (claims === undefined) return undefined;
    const { userId, sessionId } = claims;
    const principal = this.principals.held(userId, sessionId);
    if (principal === undefined) return undefined;
    return { principal, credential: { kind: 'session', id: sessionId } };
  }

  /**
   * Nearly every request has the header of the one before it on its connection; comparing the two
   * costs a fraction of hashing a token. The header is forgotten with the connection.
   */
  private claimsOf(
    header: string | undefined,
    connection: object | undefined,
  ): AccessClaims | undefined {
    const last = connection === undefined ? undefined : this.remembered.get(connection);
    if (last !== undefined && last.header === header && this.accessTokens.isLive(last.claims)) {
      return last.claims;
    }
    const claims = this.accessTokens.verified(tokenOf(header));
    if (claims !== undefined && header !== undefined && connection !== undefined) {
      this.remembered.set(connection, { header, claims });
    }
    return claims;
  }
}

/** The last header that came by a connection, and what its token says. */
interface Remembered {
  readonly header: string;
  readonly claims: AccessClaims;
}

function tokenOf(header: string | undefined): string {
  if (header === undefined || header === '') throw new UnauthenticatedError('AUTH_TOKEN_MISSING');
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw new UnauthenticatedError('AUTH_TOKEN_INVALID');
  return token;
}
