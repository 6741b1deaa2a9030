/** How long a client waits for its answer, in milliseconds from the arrival of its request. */
export const TIMEOUT_HEADER = 'x-request-timeout-ms';

const WHOLE_NUMBER = /^[1-9]\d{0,14}$/;

/** The time for a request; infinite without a bound. What is no whole number above 0 is not looked at. */
export function timeoutOf(
  header: string | readonly string[] | undefined,
  defaultMs: number,
  maxMs: number,
): number {
  if (typeof header === 'string' && WHOLE_NUMBER.test(header)) {
    return Math.min(Number(header), maxMs);
  }
  return defaultMs === 0 ? Number.POSITIVE_INFINITY : defaultMs;
}
