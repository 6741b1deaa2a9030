import { createHash } from 'node:crypto';

const LONGEST_PLAIN_KEY = 200;

/** The key itself while it is short, so that people can read it; else its SHA-256. */
export function boundedKey(key: string): string {
  return key.length <= LONGEST_PLAIN_KEY
    ? key
    : `sha256:${createHash('sha256').update(key).digest('base64url')}`;
}

/** The first 128 bits of the key's SHA-256, in the form of a UUID. */
export function hashedKey(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}
