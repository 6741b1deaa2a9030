import { hash, randomBytes } from 'node:crypto';

const PREFIX = 'prt_';
const FORM = /^prt_[A-Za-z0-9_-]{43}$/;

/** A new refresh token: 256 random bits, with a prefix by which secret scanners know it. */
export function newRefreshToken(): string {
  return PREFIX + randomBytes(32).toString('base64url');
}

/**
 * What is stored of a refresh token, or undefined when the text cannot be one. A plain SHA-256
 * does: there is nothing to guess in 256 random bits, and a look-up by hash tells an attacker
 * nothing by its time.
 */
export function refreshTokenHash(token: string): Buffer | undefined {
  return FORM.test(token) ? hash('sha256', token, 'buffer') : undefined;
}
