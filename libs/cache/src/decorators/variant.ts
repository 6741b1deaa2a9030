import { currentContext, type RequestContext } from '#libs/logging';
import { keyPart } from '../keys/key-text.js';
import type { VaryBy } from './cacheable.options.js';

/** Reads the variant of the call at hand; undefined when the cache cannot be used for it. */
export type VariantReader = () => string | undefined;

type PartReader = (context: RequestContext) => string;

/**
 * Reads what `varyBy` names from the context of the request or job that runs now. Callers who are
 * not authenticated are one variant. Outside any request or job there is nobody to vary by, so the
 * cache is not used, rather than one answer given to all; nor is it where answers vary by user and the
 * caller's credential is limited to a scope, by which the user may be told less.
 *
 * Undefined when entries have no variants.
 */
export function variantReader(
  varyBy: readonly VaryBy[],
  version: string | number | undefined,
): VariantReader | undefined {
  const prefix = version === undefined ? '' : `v=${keyPart(version, '@')}`;
  if (varyBy.length === 0) return version === undefined ? undefined : () => prefix;
  const isPersonal = varyBy.includes('user');
  const readers = [...new Set(varyBy)].sort().map((by) => partReader(by));
  return () => {
    const context = currentContext();
    if (context === undefined || (isPersonal && context.limitedBy !== undefined)) return undefined;
    let variant = prefix;
    for (const read of readers) variant += `:${read(context)}`;
    return variant;
  };
}

function partReader(by: VaryBy): PartReader {
  if (by === 'user') return ({ userId }) => `u=${keyPart(userId, '@')}`;
  if (by === 'tenant') return ({ organizationId }) => `t=${keyPart(organizationId, '@')}`;
  const name = by.slice('header:'.length).toLowerCase();
  return (context) => `h.${name}=${keyPart(context.header?.(name), '@')}`;
}

/** The tag that ends what belongs to a user when the user, its roles or its grants change. */
export function userTag(): string | undefined {
  const userId = currentContext()?.userId;
  return userId === undefined ? undefined : `user:${userId}`;
}

const HEADER = /^header:[\w-]+$/;

/** The members of a `varyBy` that mean nothing. */
export function unknownScopes(varyBy: readonly VaryBy[]): string[] {
  return varyBy.filter((by) => by !== 'user' && by !== 'tenant' && !HEADER.test(by));
}
