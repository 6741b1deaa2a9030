import type { CacheSettings } from '../cache.settings.js';

/** What a namespace holds; each kind has a budget of its own in the first level. */
export const CACHE_KINDS = ['application', 'database', 'api', 'content', 'session'] as const;

export type CacheKind = (typeof CACHE_KINDS)[number];

/** Bytes of the first level for each kind; together they are never more than its bound. */
export function budgetsOf(settings: CacheSettings): Readonly<Record<CacheKind, number>> {
  const shares = CACHE_KINDS.map((kind) => settings[`${kind}Share`]);
  const all = shares.reduce((sum, share) => sum + share, 0);
  const budgets = {} as Record<CacheKind, number>;
  for (const [index, kind] of CACHE_KINDS.entries()) {
    const part = all === 0 ? 1 / CACHE_KINDS.length : (shares[index] as number) / all;
    budgets[kind] = Math.floor(settings.l1MaxBytes * part);
  }
  return budgets;
}
