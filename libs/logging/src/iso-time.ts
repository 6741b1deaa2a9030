let secondMs = Number.NaN;
let secondText = '';

/** ISO 8601 in UTC with milliseconds. The part up to the second is kept: 0.1 µs instead of 0.5. */
export function isoTime(epochMs: number): string {
  const ms = epochMs % 1000;
  if (epochMs - ms !== secondMs) {
    secondMs = epochMs - ms;
    secondText = new Date(secondMs).toISOString().slice(0, 20);
  }
  return `${secondText}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}
