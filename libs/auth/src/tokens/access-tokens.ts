import { randomUUID, type webcrypto } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { JOSEError, JWTExpired, JWTInvalid } from 'jose/errors';
import { SignJWT } from 'jose/jwt/sign';
import { jwtVerify } from 'jose/jwt/verify';
import { SettingsStore } from '#libs/config';
import { Clock, isUuid } from '#libs/core';
import { ACCESS_TOKEN_MAX_SECONDS, authSettings } from '../auth.settings.js';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';
import { SIGNING_ALGORITHM } from './signing-key-pair.js';
import { SigningKeys } from './signing-keys.js';
import { VerifiedTokenCache } from './verified-token.cache.js';

/** What an access token says: who, and by which session. Everything else is looked up. */
export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  readonly expiresAtMs: number;
  /** Of the signing keys when it was verified; see `SigningKeys.epoch`. */
  readonly keyEpoch: number;
}

/** Whom else a token was issued to: a client of OAuth 2.0, which may be shown more (RFC 9068). */
export interface TokenClient {
  readonly clientId: string;
  readonly scope: string;
}

/** RFC 9068: tells access tokens from any other JWT that the same key might sign one day. */
const TYPE = 'at+jwt';
/** Ours have about 400 characters, and their scope; anything much longer is not worth hashing. */
const MAX_TOKEN_CHARACTERS = 4_096;

/**
 * Signs and verifies access tokens: JWTs of type `at+jwt`, ES256 only. A key id names a key of that
 * algorithm or none at all, so no token can choose how it is verified.
 */
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
  async issue(
    userId: string,
    sessionId: string,
    client?: TokenClient,
  ): Promise<{ token: string; ttlSeconds: number }> {
    const { issuer, audience, accessTokenTtlSeconds } = this.settings.get(authSettings);
    const { kid, privateKey } = await this.keys.current();
    const issuedAt = Math.floor(this.clock.nowMs() / 1000);
    const token = await new SignJWT({ sid: sessionId, ...claimsOf(client) })
      .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: TYPE, kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(userId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + accessTokenTtlSeconds)
      .sign(privateKey);
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
    const claims = this.known.get(token, this.clock.nowMs());
    return claims?.keyEpoch === this.keys.epoch ? claims : undefined;
  }

  /** Whether a token with these claims has not expired, and its key not been withdrawn. */
  isLive({ expiresAtMs, keyEpoch }: AccessClaims): boolean {
    return expiresAtMs > this.clock.nowMs() && keyEpoch === this.keys.epoch;
  }

  private async check(token: string): Promise<AccessClaims> {
    const { issuer, audience } = this.settings.get(authSettings);
    // Read before the key is: a key that goes meanwhile takes the claims with it.
    const keyEpoch = this.keys.epoch;
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.keyOf(kid), {
        algorithms: [SIGNING_ALGORITHM],
        typ: TYPE,
        issuer,
        audience,
        requiredClaims: ['sub', 'sid', 'iat', 'exp'],
        currentDate: this.clock.now(),
      });
      const { sub, iat = 0, exp, sid } = payload;
      if (sub === undefined || exp === undefined || typeof sid !== 'string') throw unusable();
      // So that a key that was stolen once is worth nothing after its time.
      if (exp - iat > ACCESS_TOKEN_MAX_SECONDS) throw unusable();
      if (!isUuid(sub) || !isUuid(sid)) throw unusable();
      return { userId: sub, sessionId: sid, expiresAtMs: exp * 1000, keyEpoch };
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
    return found.publicKey;
  }
}

function claimsOf(client: TokenClient | undefined): Record<string, string> {
  if (client === undefined) return {};
  return { client_id: client.clientId, scope: client.scope, jti: randomUUID() };
}

function unusable(): Error {
  return new JWTInvalid('The token is not one of ours.');
}
