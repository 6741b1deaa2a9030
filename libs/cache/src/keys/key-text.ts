import { CacheKeyError } from './cache-key.error.js';
import { canonical } from './canonical.js';
import { isWellFormed } from './well-formed.js';

const LONE_SURROGATES = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;
const PERCENT = 37;
const COLON = 58;
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

/**
 * A value as the part of a key or a tag that a template has a slot for. It is a text: `1` and `'1'`
 * are the same part, as they are in a path. `%`, `:` and `separator` are percent-encoded, so that no
 * value can look like several parts; undefined is `%u`, null `%n`.
 *
 * @throws CacheKeyError as `canonical` does
 */
export function keyPart(value: unknown, separator = ':', where = 'the value'): string {
  switch (typeof value) {
    case 'string':
      return escapePart(value, separator);
    case 'number':
    case 'bigint':
    case 'boolean':
      return escapePart(String(value), separator);
    case 'undefined':
      return '%u';
    case 'symbol':
    case 'function':
      throw new CacheKeyError(where, `it is a ${typeof value}`);
    default:
      if (value === null) return '%n';
      return `%j${escapePart(canonical(value, where), separator)}`;
  }
}

function escapePart(text: string, separator: string): string {
  if (isPlain(text, separator.charCodeAt(0))) return text;
  const formed = isWellFormed(text);
  let escaped = '';
  for (const character of text) {
    escaped +=
      character === '%' || character === ':' || character === separator
        ? percentEncoded(character)
        : character;
  }
  return formed
    ? escaped
    : escaped.replaceAll(LONE_SURROGATES, (unit) => `%s${unit.charCodeAt(0).toString(16)}`);
}

/** Whether nothing is to be escaped. One pass costs a third of a search for each character. */
function isPlain(text: string, separator: number): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === PERCENT || unit === COLON || unit === separator) return false;
    if (unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE) return false;
  }
  return true;
}

function percentEncoded(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}
