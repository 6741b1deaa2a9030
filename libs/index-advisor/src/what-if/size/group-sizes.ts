/** The golden ratio spreads positions evenly, however many are taken. */
const GOLDEN = 0.618_033_988_749_895;
/** Above this mean a uniform distribution of the same variance is as good as Poisson's here. */
const NARROW_MEAN = 200;

/**
 * How many rows share a key, for key after key, when rows fall on keys at random: quantiles of a
 * Poisson distribution of this mean without its zero, evenly spread.
 */
export function groupSizes(meanRate: number): (position: number) => number {
  if (meanRate < 1e-6) return () => 1;
  if (meanRate > NARROW_MEAN) {
    const spread = Math.sqrt(12 * meanRate);
    return (position) => Math.round(meanRate + spread * (quantileOf(position) - 0.5));
  }
  const zero = Math.exp(-meanRate);
  const cumulated: number[] = [];
  let probability = zero;
  for (let sum = 0, size = 1; sum < 1 - 1e-6 && size < 10 * NARROW_MEAN; size += 1) {
    probability *= meanRate / size;
    sum += probability / (1 - zero);
    cumulated.push(sum);
  }
  return (position) => {
    const quantile = quantileOf(position);
    const found = cumulated.findIndex((sum) => sum >= quantile);
    return found === -1 ? cumulated.length : found + 1;
  };
}

/** The same where all keys have as many rows, as when they were written together. */
export function equalGroupSizes(mean: number): (position: number) => number {
  const whole = Math.max(1, Math.floor(mean));
  return (position) => whole + (quantileOf(position) < mean - whole ? 1 : 0);
}

/**
 * Rows for each key, when rows fall on keys at random and ANALYZE, which saw `sampledShare` of the
 * rows, estimated that `distinct` keys occur. Its estimator (Haas and Stokes 1998, "Duj1") is right
 * for keys with equally many rows, and too low at random, which is taken back here.
 */
export function rateOfDistinct(distinct: number, rows: number, sampledShare: number): number {
  if (distinct >= rows) return 0;
  let low = 0;
  let high = (2 * rows) / distinct + 2;
  for (let step = 0; step < 50; step += 1) {
    const rate = (low + high) / 2;
    if (estimatedDistinct(rate, rows, sampledShare) > distinct) low = rate;
    else high = rate;
  }
  return (low + high) / 2;
}

/** What ANALYZE would say of `rows` that fall on keys at this rate. */
function estimatedDistinct(rate: number, rows: number, sampledShare: number): number {
  const sample = rows * sampledShare;
  const seen = (rows / rate) * (1 - Math.exp(-rate * sampledShare));
  const once = sample * Math.exp(-rate * sampledShare);
  return (sample * seen) / (sample - once + once * sampledShare);
}

function quantileOf(position: number): number {
  return ((position + 1) * GOLDEN) % 1;
}
