import { writeTime } from './write-date.js';

/** Thrown for what is no value in JSON, such as a function: what holds it must be left out. */
export class NoJsonValue extends Error {}

/** Longer ones are written sooner by `JSON.stringify`, which looks at several characters at a time. */
const SHORT = 40;

/** Anything at all. */
export function writeAny(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new NoJsonValue();
  return text;
}

export function writeText(value: unknown): string {
  if (typeof value !== 'string') return value === null ? 'null' : writeAny(value);
  const { length } = value;
  if (length > SHORT) return JSON.stringify(value);
  for (let at = 0; at < length; at += 1) {
    const code = value.charCodeAt(at);
    // Control characters, quotes, backslashes, and halves of pairs that may stand alone.
    if (code < 32 || code === 34 || code === 92 || (code >= 0xd800 && code <= 0xdfff)) {
      return JSON.stringify(value);
    }
  }
  return `"${value}"`;
}

export function writeNumber(value: unknown): string {
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : writeAny(value);
}

export function writeFlag(value: unknown): string {
  if (value === true) return 'true';
  return value === false ? 'false' : writeAny(value);
}

export function writeDate(value: unknown): string {
  if (value === null) return 'null';
  return value instanceof Date && value.constructor === Date && !Object.hasOwn(value, 'toJSON')
    ? writeTime(value.getTime())
    : writeAny(value);
}
