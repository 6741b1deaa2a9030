/**
 * Patterns of resource paths. A pattern is segments joined by `:`. A segment is a literal or `*`.
 * `*` stands for exactly one segment, and as the last for one or more: `source:*` matches
 * `source:notes` and `source:notes:entries`, not `source`; `*` matches every path.
 */
const SEPARATOR = ':';
export const WILDCARD = '*';

/** A pattern or a path, split. */
export type Segments = readonly string[];

export function segmentsOf(path: string): Segments {
  return path.split(SEPARATOR);
}

/** Whether `pattern` matches `path`. In a path `*` is a literal, which only a wildcard matches. */
export function matchesPath(pattern: Segments, path: Segments): boolean {
  return compare(pattern, path, (segment, other) => segment === WILDCARD || segment === other);
}

/** Whether every path that `inner` matches is matched by `outer` too. */
export function coversPattern(outer: Segments, inner: Segments): boolean {
  // What stands for any number of segments is covered only by what does so too.
  if (inner.at(-1) === WILDCARD && outer.at(-1) !== WILDCARD) return false;
  return matchesPath(outer, inner);
}

/** Whether there is a path that both patterns match. */
export function overlaps(left: Segments, right: Segments): boolean {
  const [short, long] = left.length <= right.length ? [left, right] : [right, left];
  return compare(
    short,
    long,
    (one, other) => one === WILDCARD || other === WILDCARD || one === other,
  );
}

function compare(
  pattern: Segments,
  other: Segments,
  fits: (segment: string, other: string) => boolean,
): boolean {
  const isOpen = pattern.at(-1) === WILDCARD;
  if (isOpen ? other.length < pattern.length : other.length !== pattern.length) return false;
  return pattern.every((segment, index) => fits(segment, other[index] ?? ''));
}
