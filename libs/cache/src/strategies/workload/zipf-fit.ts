/** Ranks of fewer reads say nothing about the slope. */
const MIN_READS = 3;

/**
 * The exponent of the Zipf law that fits the counts best: the slope of the logarithms of count
 * against rank, each rank counting as much as its logarithmic distance to the next. 0 where all
 * keys are read alike.
 */
export function zipfExponentOf(descendingCounts: readonly number[]): number {
  let weights = 0;
  let x = 0;
  let y = 0;
  let xx = 0;
  let xy = 0;
  for (const [index, count] of descendingCounts.entries()) {
    if (count < MIN_READS) break;
    const rank = Math.log(index + 1);
    const reads = Math.log(count);
    const weight = Math.log((index + 2) / (index + 1));
    weights += weight;
    x += weight * rank;
    y += weight * reads;
    xx += weight * rank * rank;
    xy += weight * rank * reads;
  }
  const spread = weights * xx - x * x;
  if (weights === 0 || spread <= 1e-9) return 0;
  return Math.max(0, -(weights * xy - x * y) / spread);
}
