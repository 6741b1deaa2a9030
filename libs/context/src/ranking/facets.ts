import type { EntryWhere } from '../port/dual-store-manager.js';
import type { Matchable } from '../port/matches-where.js';

const FIELDS = new Set(['role', 'type', 'author']);

/**
 * What stands in the full-text index for "this field has this value", so that conditions narrow a
 * search before it is cut off: the entry's fields, and what its metadata holds that is a single
 * value. No word begins with `#`.
 */
export function facetsOf({ role, type, author, metadata }: Matchable): string[] {
  return [
    ...facetsFor({ role, type, author }),
    ...facetsFor(
      Object.fromEntries(Object.entries(metadata ?? {}).filter(([key]) => !FIELDS.has(key))),
    ),
  ];
}

/**
 * What every entry that meets some conditions has among its facets. Conditions on objects and
 * lists have none, and hashes may collide: the conditions have to be checked on the entry itself.
 */
export function facetsOfWhere(where: EntryWhere | undefined): string[] {
  return facetsFor(where ?? {});
}

function facetsFor(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([key, value]) =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? [`#${hash53(`${key}=${JSON.stringify(value)}`).toString(36)}`]
      : [],
  );
}

/** Two FNV-1a hashes of 32 bits over UTF-16 units, folded to 53 bits. */
function hash53(text: string): number {
  let low = 0x811c_9dc5;
  let high = 0x9e37_79b1;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x0100_0193);
    high = Math.imul(high ^ unit ^ (low >>> 15), 0x85eb_ca6b);
  }
  return (low >>> 0) + (high >>> 11) * 2 ** 32;
}
