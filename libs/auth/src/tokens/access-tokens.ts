import type { webcrypto } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { JOSEError, JWTExpired, JWTInvalid } from 'jose/errors';
import { SignJWT } from 'jose/jwt/sign';
import { jwtVerify } from 'jose/jwt/verify';
import { SettingsStore } from '#libs/config';
import { Clock, isUuid } from '#libs/core';
import { authSettings } from '../auth.settings.js';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';
import { SigningKeys } from './signing-keys.js';
import { VerifiedTokenCache } from './verified-token.cache.js';

/** What an access token says: who, and by which session. Everything else is looked up. */
export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  readonly expiresAtMs: number;
}

/** RFC 9068: tells access tokens from any other JWT that the same key might sign one day. */
const TYPE = 'at+jwt';
const ALGORITHM = 'HS256';
/** Ours have about 400 characters; anything much longer is not worth hashing. */
const MAX_TOKEN_CHARACTERS = 2_048;

/** Signs and verifies access tokens: JWTs of type `at+jwt`, HS256 only. */
@Injectable()
export class AccessTokens {
  private readonly known: VerifiedTokenCache;

  constructor(
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {
    this.known = new VerifiedTokenCache(() => settings.get(authSettings).verifiedTokenCacheEntries);
  }

  /** A token for a session that lives `accessTokenTtlSeconds`. */
  async issue(userId: string, sessionId: string): Promise<{ token: string; ttlSeconds: number }> {
    const { issuer, audience, accessTokenTtlSeconds } = this.settings.get(authSettings);
    const { kid, key } = await this.keys.current();
    const issuedAt = Math.floor(this.clock.nowMs() / 1000);
    const token = await new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(userId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + accessTokenTtlSeconds)
      .sign(key);
    return { token, ttlSeconds: accessTokenTtlSeconds };
  }

  /**
   * The claims of a token that is ours and has not expired. Says nothing about whether the
   * session still lives.
   * @throws UnauthenticatedError with AUTH_TOKEN_EXPIRED or AUTH_TOKEN_INVALID
   */
  async verify(token: string): Promise<AccessClaims> {
    if (token.length > MAX_TOKEN_CHARACTERS) throw new UnauthenticatedError('AUTH_TOKEN_INVALID');
    const known = this.verified(token);
    if (known !== undefined) return known;
    const claims = await this.check(token);
    this.known.set(token, claims);
    return claims;
  }

  /** The claims of a token that was verified before and has not expired, if they are still known. */
  verified(token: string): AccessClaims | undefined {
    if (token.length > MAX_TOKEN_CHARACTERS) return undefined;
    return this.known.get(token, this.clock.nowMs());
  }

  /** Whether a token with these claims has not expired. */
  isLive({ expiresAtMs }: AccessClaims): boolean {
    return expiresAtMs > this.clock.nowMs();
  }

  private async check(token: string): Promise<AccessClaims> {
    const { issuer, audience } = this.settings.get(authSettings);
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.keyOf(kid), {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer,
        audience,
        requiredClaims: ['sub', 'sid', 'iat', 'exp'],
        currentDate: this.clock.now(),
      });
      const { sub, exp, sid } = payload;
      if (sub === undefined || exp === undefined || typeof sid !== 'string') throw unusable();
      if (!isUuid(sub) || !isUuid(sid)) throw unusable();
      return { userId: sub, sessionId: sid, expiresAtMs: exp * 1000 };
    } catch (error) {
      if (error instanceof JWTExpired) throw new UnauthenticatedError('AUTH_TOKEN_EXPIRED');
      if (error instanceof JOSEError) {
        throw new UnauthenticatedError('AUTH_TOKEN_INVALID', error);
      }
      throw error;
    }
  }

  private async keyOf(kid: string | undefined): Promise<webcrypto.CryptoKey> {
    const found = kid === undefined ? undefined : await this.keys.find(kid);
    if (found === undefined) throw unusable();
    return found.key;
  }
}

function unusable(): Error {
  return new JWTInvalid('The token is not one of ours.');
}
