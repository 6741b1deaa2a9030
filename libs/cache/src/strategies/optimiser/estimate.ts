/** A mean, and how far chance may have moved it. */
export interface Estimate {
  readonly mean: number;
  /** Standard error of the mean; infinite below two values. */
  readonly error: number;
}

/** Standard errors beyond which a difference is taken for real: one case in forty is chance. */
const SIGNIFICANT = 2;

export function estimateOf(values: readonly number[]): Estimate {
  if (values.length === 0) return { mean: 0, error: Number.POSITIVE_INFINITY };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, error: Number.POSITIVE_INFINITY };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

/** How much larger b is than a; 0 as long as that may be chance. */
export function realDifference(a: Estimate, b: Estimate): number {
  const difference = b.mean - a.mean;
  const error = Math.hypot(a.error, b.error);
  return Math.abs(difference) > SIGNIFICANT * error ? difference : 0;
}

/** Whether values that were taken in pairs lie above `least`, beyond chance. */
export function liesAbove(differences: readonly number[], least: number): boolean {
  const { mean, error } = estimateOf(differences);
  return mean > least && mean - least > SIGNIFICANT * error;
}

/** Whether values that were taken in pairs lie below `most`, beyond chance. */
export function liesBelow(differences: readonly number[], most: number): boolean {
  return liesAbove(
    differences.map((difference) => -difference),
    -most,
  );
}
