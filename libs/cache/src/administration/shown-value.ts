import { messageOf } from '#libs/core';
import type { Cache } from '../engine/cache.js';

const MAX_CHARACTERS = 65_536;

/** A value as an answer can show it, or why it cannot. */
export type ShownValue = { readonly value: unknown } | { readonly valueOmitted: string };

/** The value of a key if there is a fresh one; reading it counts as a read. */
export async function shownValue(cache: Cache, key: string): Promise<ShownValue> {
  const answer = await cache.getEntry(key);
  if (answer === undefined) return { valueOmitted: 'there is no fresh one' };
  try {
    const text = JSON.stringify(answer.value, shown) as string | undefined;
    if (text === undefined) return { valueOmitted: `it is ${typeof answer.value}` };
    if (text.length > MAX_CHARACTERS) {
      return { valueOmitted: `it has ${text.length} characters; ${MAX_CHARACTERS} are shown` };
    }
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { valueOmitted: `it cannot be written as JSON: ${messageOf(error)}` };
  }
}

function shown(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Map) return { map: [...(value as ReadonlyMap<unknown, unknown>)] };
  if (value instanceof Set) return { set: [...(value as ReadonlySet<unknown>)] };
  if (ArrayBuffer.isView(value)) return { bytes: value.byteLength };
  // A buffer tells its bytes as JSON before this function is asked.
  if (isBufferJson(value)) return { bytes: value.data.length };
  return value;
}

function isBufferJson(value: unknown): value is { readonly data: readonly number[] } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    value.type === 'Buffer' &&
    'data' in value &&
    Array.isArray(value.data)
  );
}
