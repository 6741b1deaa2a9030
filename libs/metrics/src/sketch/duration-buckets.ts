/**
 * Log-linear buckets for durations in milliseconds: 64 of equal width in each power of two, from
 * 2⁻¹² ms (0.24 µs) to 2²⁰ ms (17 min). The middle of a bucket is within 0.8 % of every value in
 * it: half a width at the lower end of a power of two, 1/128. The index is read off the bits of
 * the number, which takes no logarithm (as HDR histograms do for integers).
 */
export const BUCKETS = 2_048;

const SUB_BUCKET_BITS = 6;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;
const MIN_EXPONENT = -12;
const EXPONENT_BIAS = 1_023;
/** Of the upper 32 bits of a double, the lowest that do not matter: 20 of mantissa, less 6. */
const SHIFT = 20 - SUB_BUCKET_BITS;
const OFFSET = (EXPONENT_BIAS + MIN_EXPONENT) * SUB_BUCKETS;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const UPPER_WORD = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

/** The bucket of a duration. What is too small, negative or no number goes into the first. */
export function bucketOf(ms: number): number {
  if (!(ms > 0)) return 0;
  double[0] = ms;
  const index = ((words[UPPER_WORD] as number) >>> SHIFT) - OFFSET;
  return index < 0 ? 0 : index >= BUCKETS ? BUCKETS - 1 : index;
}

/** The smallest duration of a bucket. */
export function lowerBoundMs(bucket: number): number {
  const exponent = (bucket >> SUB_BUCKET_BITS) + MIN_EXPONENT;
  return 2 ** exponent * (1 + (bucket & (SUB_BUCKETS - 1)) / SUB_BUCKETS);
}

/** The duration that stands for all of a bucket. */
export function middleMs(bucket: number): number {
  const exponent = (bucket >> SUB_BUCKET_BITS) + MIN_EXPONENT;
  return 2 ** exponent * (1 + ((bucket & (SUB_BUCKETS - 1)) + 0.5) / SUB_BUCKETS);
}
