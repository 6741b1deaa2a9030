import utils from 'pg/lib/utils.js';

/**
 * A value as PostgreSQL reads it from text, in the same way as `pg` sends parameters, so that what is
 * written in bulk cannot differ from what is written row by row.
 */
export function toText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return `${value}`;
  const prepared = utils.prepareValue(value);
  if (prepared === null || prepared === undefined) return null;
  return Buffer.isBuffer(prepared) ? String.raw`\x` + prepared.toString('hex') : prepared;
}
