const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Years of four digits from 1970 on; others have another form. */
const END_MS = Date.UTC(10_000, 0, 1);

const TWO = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));
const THREE = Array.from({ length: 1_000 }, (_, value) => `${String(value).padStart(3, '0')}Z"`);

let lastDay = -1;
let lastPrefix = '';

/**
 * A time as JSON has it: the same as `JSON.stringify`, which takes a microsecond for it. The times of
 * one answer are often of one day, so the day is written once for all of them.
 */
export function writeTime(ms: number): string {
  if (!(ms >= 0 && ms < END_MS)) return JSON.stringify(new Date(ms));
  const day = Math.floor(ms / DAY_MS);
  if (day !== lastDay) {
    lastDay = day;
    lastPrefix = `"${new Date(day * DAY_MS).toISOString().slice(0, 11)}`;
  }
  const time = ms - day * DAY_MS;
  const hours = Math.floor(time / HOUR_MS);
  const minutes = Math.floor((time % HOUR_MS) / MINUTE_MS);
  const seconds = Math.floor((time % MINUTE_MS) / 1_000);
  return `${lastPrefix}${TWO[hours]}:${TWO[minutes]}:${TWO[seconds]}.${THREE[time % 1_000]}`;
}
