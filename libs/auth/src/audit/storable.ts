/// <reference lib="es2024.string" />
import { types } from 'node:util';
import { isError } from '#libs/core';

const MAX_TEXT_CHARACTERS = 1_000;
const MAX_ITEMS = 100;
const MAX_LEVELS = 4;

type Replace = (name: string, value: unknown) => unknown;

/** A text that PostgreSQL can keep: without NUL and half surrogate pairs, and not endless. */
export function storableText(text: string): string {
  return text.slice(0, MAX_TEXT_CHARACTERS).replaceAll('\0', '').toWellFormed();
}

/**
 * An object that PostgreSQL can keep as `jsonb`, of bounded depth and size. `replace` is asked for
 * every field.
 */
export function storableJson(
  object: Readonly<Record<string, unknown>>,
  replace: Replace,
  levels = MAX_LEVELS,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object)
      .slice(0, MAX_ITEMS)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        storableText(name),
        storableValue(replace(name, value), replace, levels - 1),
      ]),
  );
}

function storableValue(value: unknown, replace: Replace, levels: number): unknown {
  if (typeof value === 'string') return storableText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'boolean' || value === null) return value;
  if (types.isDate(value)) return value.toISOString();
  if (isError(value)) return storableText(value.message);
  if (typeof value !== 'object' || levels < 0) return null;
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ITEMS).map((item) => storableValue(item, replace, levels - 1));
  }
  return storableJson(value as Record<string, unknown>, replace, levels);
}
