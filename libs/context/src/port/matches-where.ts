import type { EntryWhere } from './dual-store-manager.js';

/** What conditions look at. */
export interface Matchable {
  readonly role?: string | null;
  readonly type?: string | null;
  readonly author?: string | null;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
}

/**
 * Whether an entry meets conditions: `role`, `type` and `author` equal the entry's own fields,
 * everything else is contained in its metadata. An object contains another when it has all its
 * keys with values that contain theirs; an array, when each element of the other is contained in
 * one of its own. These are the rules of PostgreSQL's `jsonb @>`. No condition matches all.
 */
export function matchesWhere(entry: Matchable, where: EntryWhere | undefined): boolean {
  const { role = null, type = null, author = null, metadata } = entry;
  return contains({ ...metadata, role, type, author }, where ?? {});
}

function contains(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern)) {
    return (
      Array.isArray(value) &&
      pattern.every((wanted) => value.some((element) => contains(element, wanted)))
    );
  }
  if (typeof pattern !== 'object' || pattern === null) return value === pattern;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(pattern).every(
    ([key, wanted]) => Object.hasOwn(value, key) && contains(Object(value)[key], wanted),
  );
}
