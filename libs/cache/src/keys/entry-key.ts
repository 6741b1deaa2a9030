import { boundedKey } from './bounded-key.js';
import { CacheKeyError } from './cache-key.error.js';
import { canonical } from './canonical.js';

/**
 * What a key function returned, as a text: texts as they are, everything else in its canonical form.
 * Undefined for undefined, which says that the call has no key.
 */
export function keyText(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string') return value.startsWith('=') ? `=${canonical(value)}` : value;
  if (typeof value === 'object' && value !== null && 'then' in value) {
    throw new CacheKeyError('what the key function returned', 'it is a promise');
  }
  return `=${canonical(value, 'what the key function returned')}`;
}

/**
 * The key of an entry: the key of the call, and before it the variant (user, tenant, headers,
 * version) of which it is an entry. A call that has no variants cannot pass for one that has.
 */
export function entryKey(base: string, variant: string | undefined): string {
  if (variant !== undefined) return boundedKey(`@${variant}@${base}`);
  return boundedKey(base.charCodeAt(0) === AT_SIGN ? `@@${base}` : base);
}

const AT_SIGN = 64;

/** The tag that all variants of a key have. */
export function variantsTag(namespace: string, base: string): string {
  return `key:${namespace}:${boundedKey(base)}`;
}
