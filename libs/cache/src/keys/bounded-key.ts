import { hash } from 'node:crypto';

/** Longer keys are replaced by their digest, so that they cost no more memory than this. */
export const LONGEST_KEY = 200;

/**
 * The key itself while it is short, so that people can read it; else `#` and its SHA-256, all 256
 * bits. A short key that begins with `#` gets a second one, so that nobody can pass off a text for
 * the digest of another.
 */
export function boundedKey(key: string): string {
  if (key.length > LONGEST_KEY) return `#${hash('sha256', key, 'base64url')}`;
  return key.charCodeAt(0) === HASH_SIGN ? `#${key}` : key;
}

const HASH_SIGN = 35;
