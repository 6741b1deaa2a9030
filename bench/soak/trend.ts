/** How a quantity goes over time, by the straight line that fits it best. */
export interface Trend {
  readonly first: number;
  readonly last: number;
  readonly mean: number;
  readonly slopePerHour: number;
  /** Half of the interval in which the slope lies with a probability of 95 %. */
  readonly marginPerHour: number;
  /** What the line rises from the first moment to the last. */
  readonly rise: number;
}

const MS_PER_HOUR = 3_600_000;

/**
 * Least squares with the confidence interval of Student's t. Points are `[time in ms, value]`.
 * @throws TypeError for fewer than three points
 */
export function trendOf(points: readonly (readonly [number, number])[]): Trend {
  const count = points.length;
  if (count < 3) throw new TypeError(`a trend needs three points, and there are ${count}`);
  const meanX = sum(points.map(([x]) => x)) / count;
  const meanY = sum(points.map(([, y]) => y)) / count;
  const spreadX = sum(points.map(([x]) => (x - meanX) ** 2));
  const slope = sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / spreadX;
  const residual = sum(points.map(([x, y]) => (y - meanY - slope * (x - meanX)) ** 2));
  const error = Math.sqrt(residual / (count - 2) / spreadX);
  const [firstX, first] = points[0] ?? [0, 0];
  const [lastX, last] = points.at(-1) ?? [0, 0];
  return {
    first,
    last,
    mean: meanY,
    slopePerHour: slope * MS_PER_HOUR,
    marginPerHour: studentT(count - 2) * error * MS_PER_HOUR,
    rise: slope * (lastX - firstX),
  };
}

/** What may rise, and by how much: see `isFlat`. */
export interface Tolerance {
  /** Slopes up to this are none. */
  readonly perHour: number;
  /** More than this over the time that was looked at is growth, however noisy it was. */
  readonly rise: number;
}

/**
 * Whether a quantity does not grow: its slope is not shown to be above the tolerance (the lower end of
 * its interval is not), and what the line rises is small, so that noise hides no great growth.
 */
export function isFlat(trend: Trend, { perHour, rise }: Tolerance): boolean {
  return trend.slopePerHour - trend.marginPerHour <= perHour && trend.rise <= rise;
}

/** The 97.5 % quantile of Student's t, by the expansion of Cornish and Fisher; 1 % off at 3 degrees. */
function studentT(degrees: number): number {
  const z = 1.959964;
  const n = degrees;
  return (
    z +
    (z ** 3 + z) / (4 * n) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * n ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * n ** 3)
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
