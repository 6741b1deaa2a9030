import type { KeyShape } from './key-shape.js';

/** Bytes of an index tuple's header, and with the bitmap of a tuple that has a NULL. */
const HEADER_BYTES = 8;
const HEADER_WITH_NULLS_BYTES = 16;
/** Values of varying length up to this, with their header of one byte, are not aligned. */
const SHORT_BYTES = 127;

/** A value of a tuple: its bytes, or undefined for NULL. */
export interface TupleValue {
  readonly key: Pick<KeyShape, 'alignment' | 'isVarying'>;
  readonly bytes: number | undefined;
}

/** The bytes of an index tuple with these values, as `index_form_tuple` makes it. */
export function tupleBytes(values: readonly TupleValue[]): number {
  let data = 0;
  let hasNull = false;
  for (const { key, bytes } of values) {
    if (bytes === undefined) {
      hasNull = true;
      continue;
    }
    const isShort = key.isVarying && bytes <= SHORT_BYTES;
    data = (isShort ? data : alignTo(data, key.alignment)) + bytes;
  }
  return maxAlign((hasNull ? HEADER_WITH_NULLS_BYTES : HEADER_BYTES) + data);
}

/** Rounded up to what every tuple is aligned to. */
export function maxAlign(bytes: number): number {
  return alignTo(Math.ceil(bytes), 8);
}

function alignTo(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
