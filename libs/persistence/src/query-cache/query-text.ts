import { createHash } from 'node:crypto';

const STRING_OR_SPACE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[^]*?\*\/|\s+/g;
/** Functions and words whose value changes though no table does. */
const TIME_OR_SESSION =
  /\b(?:now|current_(?:timestamp|date|time|user|role|setting|schema)|localtime(?:stamp)?|statement_timestamp|transaction_timestamp|session_user|txid_\w+|pg_\w+)\b/i;
const LOCKING = /\bfor\s+(?:no\s+key\s+)?(?:update|(?:key\s+)?share)\b/i;
const READ = /^\s*(?:select|with|values)\b/i;
const WRITES = /\b(?:insert\s+into|update|delete\s+from|merge\s+into|truncate(?:\s+table)?)\b/i;
const TABLE = String.raw`(?:"[^"]+"|\w+)(?:\s*\.\s*(?:"[^"]+"|\w+))?`;
/** TRUNCATE alone takes several. */
const WRITTEN = new RegExp(
  String.raw`\b(?:insert\s+into|update(?:\s+only)?|delete\s+from(?:\s+only)?|merge\s+into|truncate(?:\s+table)?(?:\s+only)?|copy)\s+(${TABLE}(?:\s*,\s*${TABLE})*)`,
  'gi',
);
const NAMED = /(?:"((?:[^"]|"")+)"|\b([a-z_]\w*))/gi;
const CALLED = /\b(\w+)\s*\(/g;

/** The text without comments, literals' spaces kept, all other space as one blank. */
export function normalizeSpace(text: string): string {
  return text
    .replaceAll(STRING_OR_SPACE, (part) =>
      part.startsWith("'") || part.startsWith('"') ? part : ' ',
    )
    .trim();
}

/** Whether a statement only reads, and gives the same as long as no table changes. */
export function isCacheable(text: string, volatileFunctions: ReadonlySet<string>): boolean {
  const bare = withoutLiterals(text);
  if (!READ.test(bare) || WRITES.test(bare) || LOCKING.test(bare) || bare.includes(';'))
    return false;
  if (TIME_OR_SESSION.test(bare)) return false;
  for (const [, name = ''] of bare.matchAll(CALLED)) {
    if (volatileFunctions.has(name.toLowerCase())) return false;
  }
  return true;
}

/** Every name in a text that is one of `relations`; more than are read, never fewer. */
export function relationsIn(text: string, relations: ReadonlyMap<string, unknown>): string[] {
  const found = new Set<string>();
  for (const [, quoted, plain] of withoutLiterals(text).matchAll(NAMED)) {
    const name = quoted?.replaceAll('""', '"') ?? (plain as string).toLowerCase();
    if (relations.has(name)) found.add(name);
  }
  return [...found];
}

/** The tables that a statement changes by itself, without their schema. */
export function tablesWritten(text: string): string[] {
  const bare = withoutLiterals(text);
  const paths = [...bare.matchAll(WRITTEN)].flatMap(([, list = '']) => list.split(','));
  const tables = paths.map((path) => {
    const name = path.split('.').at(-1)?.trim() ?? '';
    return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
  });
  // `DO UPDATE SET` and `FOR UPDATE OF` name no table.
  return [...new Set(tables)].filter((table) => table !== 'set' && table !== 'of');
}

/** A digest of 128 bits of what decides over a result. */
export function keyOf(parts: readonly unknown[]): string {
  return createHash('sha256')
    .update(JSON.stringify(parts, tagged))
    .digest('base64url')
    .slice(0, 22);
}

/** Keeps apart what JSON would write alike. */
function tagged(this: unknown, name: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[name];
  if (raw instanceof Date) return { date: raw.getTime() };
  if (Buffer.isBuffer(raw)) return { bytes: raw.toString('base64') };
  if (typeof value === 'bigint') return { big: value.toString() };
  if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) };
  return value;
}

function withoutLiterals(text: string): string {
  return text.replaceAll(/'(?:[^']|'')*'|--[^\n]*|\/\*[^]*?\*\//g, "''");
}
