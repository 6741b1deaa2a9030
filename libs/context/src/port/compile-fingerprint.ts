import { createHash } from 'node:crypto';

/**
 * A digest that two values share when they differ only in the order of object keys: 256 bits,
 * 43 characters.
 */
export function fingerprintOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('base64url');
}

/** JSON with sorted keys; what is undefined is left out. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null || value instanceof Date) {
    return JSON.stringify(value) ?? 'null';
  }
  const parts = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`);
  return `{${parts.join(',')}}`;
}

/** The question that a compile asks, whatever the order of its sources and texts. */
export function compileFingerprint(question: {
  /** For whom: whatever the answer depends on beside the question. */
  readonly scope: unknown;
  readonly texts: readonly string[];
  readonly sources: readonly { readonly id: string; readonly where?: unknown }[];
  readonly recentLimit: number;
  readonly queryLimit: number;
  readonly limit: number;
}): string {
  const sources = question.sources.map(({ id, where }) => canonical({ id, where: where ?? {} }));
  return fingerprintOf({
    ...question,
    texts: [...new Set(question.texts)].sort(),
    sources: [...new Set(sources)].sort(),
  });
}
