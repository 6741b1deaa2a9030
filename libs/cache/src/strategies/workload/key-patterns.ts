/** A form that many keys have. */
export interface KeyPattern {
  /** Such as `user:{id}:orders`. */
  readonly pattern: string;
  /** Part of all reads. */
  readonly share: number;
  readonly keys: number;
  readonly meanBytes: number;
}

/** A key with how often it was read. */
export interface CountedKey {
  readonly key: string;
  readonly reads: number;
  readonly bytes: number;
}

const MAX_PATTERNS = 20;
const MAX_SEGMENTS = 12;
/** A place with more different words than this holds a variable. */
const MAX_WORDS = 12;
const SEPARATORS = /([:/|.@,;?&=])/;
/** Numbers, UUIDs, hashes, and words with digits in them that no person would write. */
const IDENTIFIER = /^(\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{12,}|[A-Za-z]{0,3}\d+|[\w-]{20,})$/i;
const ID = '{id}';

/**
 * The forms of the keys, the most read first. What looks like an identifier, or has many different
 * words at its place among keys that are alike before it, becomes `{id}`; a second one `{id2}`.
 */
export function keyPatternsOf(counted: readonly CountedKey[]): KeyPattern[] {
  const split = counted.map(({ key }) => key.split(SEPARATORS).slice(0, MAX_SEGMENTS * 2 - 1));
  const templates: string[] = split.map(() => '');
  // A place becomes a variable before the next one is looked at, so that what follows it counts together.
  for (let place = 0; place < MAX_SEGMENTS * 2; place += 1) {
    const wordsAfter = new Map<string, Set<string>>();
    for (const [index, segments] of split.entries()) {
      const segment = segments[place];
      if (segment === undefined || place % 2 === 1 || IDENTIFIER.test(segment)) continue;
      const before = `${segments.length}\u0000${templates[index]}`;
      const words = wordsAfter.get(before) ?? new Set<string>();
      if (words.size <= MAX_WORDS) words.add(segment);
      wordsAfter.set(before, words);
    }
    for (const [index, segments] of split.entries()) {
      const segment = segments[place];
      if (segment === undefined) continue;
      const before = templates[index] as string;
      const words = wordsAfter.get(`${segments.length}\u0000${before}`);
      const isVariable =
        place % 2 === 0 && (IDENTIFIER.test(segment) || (words?.size ?? 0) > MAX_WORDS);
      templates[index] = before + (isVariable ? ID : segment);
    }
  }
  return summed(counted, templates);
}

function summed(counted: readonly CountedKey[], templates: readonly string[]): KeyPattern[] {
  const all = counted.reduce((sum, { reads }) => sum + reads, 0);
  const byTemplate = new Map<string, { reads: number; keys: number; bytes: number }>();
  for (const [index, { reads, bytes }] of counted.entries()) {
    const template = templates[index] as string;
    const sums = byTemplate.get(template) ?? { reads: 0, keys: 0, bytes: 0 };
    sums.reads += reads;
    sums.keys += 1;
    sums.bytes += bytes;
    byTemplate.set(template, sums);
  }
  return [...byTemplate]
    .sort(([, a], [, b]) => b.reads - a.reads)
    .slice(0, MAX_PATTERNS)
    .map(([template, { reads, keys, bytes }]) => ({
      pattern: numbered(template),
      share: reads / all,
      keys,
      meanBytes: Math.round(bytes / keys),
    }));
}

function numbered(template: string): string {
  let next = 0;
  return template.replaceAll(ID, () => {
    next += 1;
    return next === 1 ? ID : `{id${next}}`;
  });
}
