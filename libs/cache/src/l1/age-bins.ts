import { clz32 } from './integer-math.js';

/** Bins of the scale for each doubling of the age. */
export const BINS_PER_OCTAVE = 4;

/**
 * Numbers ages on a scale of four bins an octave, without a logarithm: 0, 1, 2, 3, then quarters of
 * each power of two. Up to 2^31.
 */
export function ageBin(age: number): number {
  if (age < 4) return age;
  const exponent = 31 - clz32(age);
  return (exponent << 2) - 4 + ((age >>> (exponent - 2)) & 3);
}

/** The smallest age of a bin. */
export function ageBinStart(bin: number): number {
  if (bin < 4) return bin;
  const exponent = (bin >>> 2) + 1;
  return (4 + (bin & 3)) * 2 ** (exponent - 2);
}
