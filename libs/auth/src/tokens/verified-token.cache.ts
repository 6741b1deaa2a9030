import { hash } from 'node:crypto';
import type { AccessClaims } from './access-tokens.js';

/**
 * Claims of tokens whose signature was verified before. Keyed by the SHA-256 of the token, so that it
 * holds none; never answers past a token's expiry; the least recently used goes first.
 */
export class VerifiedTokenCache {
  private readonly entries = new Map<string, AccessClaims>();

  constructor(private readonly maxEntries: () => number) {}

  get size(): number {
    return this.entries.size;
  }

  get(token: string, nowMs: number): AccessClaims | undefined {
    const key = keyOf(token);
    const claims = this.entries.get(key);
    if (claims === undefined) return undefined;
    this.entries.delete(key);
    if (claims.expiresAtMs <= nowMs) return undefined;
    this.entries.set(key, claims);
    return claims;
  }

  set(token: string, claims: AccessClaims): void {
    const max = this.maxEntries();
    this.entries.set(keyOf(token), claims);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= max) break;
      this.entries.delete(oldest);
    }
  }
}

function keyOf(token: string): string {
  return hash('sha256', token, 'base64');
}
