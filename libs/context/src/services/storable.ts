/// <reference lib="es2024.string" />
const MAX_LEVELS = 32;

/** Whether PostgreSQL can keep a text as it is: no NUL and no half surrogate pair. */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Whether PostgreSQL can keep a value as `jsonb`, within a size and a depth. */
export function isStorableJson(value: unknown, maxBytes: number): boolean {
  return isShallow(value, MAX_LEVELS) && Buffer.byteLength(JSON.stringify(value) ?? '') <= maxBytes;
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value === 'string') return isStorableText(value);
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  return Object.entries(value).every(
    ([key, inner]) => isStorableText(key) && isShallow(inner, levels - 1),
  );
}
