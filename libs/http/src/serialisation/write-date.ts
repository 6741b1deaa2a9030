const DAY_MS = 86_400_000;
/** Years of four digits from 1970 on; others have another form. */
const END_MS = Date.UTC(10_000, 0, 1);

const two = (value: number): string => String(value).padStart(2, '0');
const MINUTES = Array.from({ length: 1_440 }, (_, minute) => {
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}:`;
});
const SECONDS = Array.from({ length: 60 }, (_, second) => `${two(second)}.`);
const MILLISECONDS = Array.from({ length: 1_000 }, (_, ms) => `${String(ms).padStart(3, '0')}Z"`);

let dayMs = 0;
let dayText = '"1970-01-01T';

/**
 * A time as JSON has it: the same as `JSON.stringify`, which takes a microsecond for it. The times of
 * one answer are often of one day, so the day is written once for all of them.
 */
export function writeTime(ms: number): string {
  let rest = ms - dayMs;
  if (!(rest >= 0 && rest < DAY_MS)) {
    if (!(ms >= 0 && ms < END_MS)) return JSON.stringify(new Date(ms));
    dayMs = ms - (ms % DAY_MS);
    dayText = `"${new Date(dayMs).toISOString().slice(0, 11)}`;
    rest = ms - dayMs;
  }
  const seconds = Math.trunc(rest / 1_000);
  const minutes = Math.trunc(seconds / 60);
  return `${dayText}${MINUTES[minutes]}${SECONDS[seconds - minutes * 60]}${MILLISECONDS[rest - seconds * 1_000]}`;
}
