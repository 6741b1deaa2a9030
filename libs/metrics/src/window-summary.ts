import { DurationSketch } from './sketch/duration-sketch.js';
import { KEPT_SLOTS, SLOT_MS, type WindowName, WINDOWS } from './sketch/time-slots.js';
import type { WindowedSketch } from './sketch/windowed-sketch.js';

/** Durations and rate over a window of time; null where nothing was recorded. */
export interface DurationSummary {
  readonly count: number;
  readonly perSecond: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly averageMs: number | null;
  readonly maxMs: number | null;
}

export type ByWindow<Value> = Readonly<Record<WindowName, Value>>;

/** Runs `make` for each window. */
export function byWindow<Value>(
  make: (window: (typeof WINDOWS)[number]) => Value,
): ByWindow<Value> {
  return Object.fromEntries(
    WINDOWS.map((window) => [window.name, make(window)]),
  ) as unknown as ByWindow<Value>;
}

/**
 * How many seconds of a window have been watched: less than its length right after the start,
 * and up to a slot less, because the current slot has only begun.
 */
export function watchedSeconds(slots: number, nowMs: number, startedAtMs: number): number {
  const fullSlotsMs = (slots - 1) * SLOT_MS;
  const watchedMs = Math.min(fullSlotsMs + (nowMs % SLOT_MS), nowMs - startedAtMs);
  return Math.max(watchedMs, 1) / 1_000;
}

/** Adds recorders up over the windows; used again and again, for it holds large arrays. */
export class WindowSummarizer {
  private readonly all = WINDOWS.map(() => new DurationSketch());
  private readonly one = new DurationSketch();

  /** Each group over each window, and all groups together. */
  summarize<Key>(
    groups: ReadonlyMap<Key, readonly WindowedSketch[]>,
    nowMs: number,
    startedAtMs: number,
  ): { readonly total: ByWindow<DurationSummary>; groups: Map<Key, ByWindow<DurationSummary>> } {
    for (const sketch of this.all) sketch.clear();
    const seconds = WINDOWS.map(({ slots }) => watchedSeconds(slots, nowMs, startedAtMs));
    const summaries = new Map<Key, ByWindow<DurationSummary>>();
    for (const [key, recorders] of groups) {
      summaries.set(key, this.summarizeGroup(recorders, seconds));
    }
    const total = byWindow(({ name }) => {
      const at = WINDOWS.findIndex((window) => window.name === name);
      return summaryOf(this.all[at] ?? this.one, seconds[at] ?? 1);
    });
    return { total, groups: summaries };
  }

  private summarizeGroup(
    recorders: readonly WindowedSketch[],
    seconds: readonly number[],
  ): ByWindow<DurationSummary> {
    this.one.clear();
    const byName: Partial<Record<WindowName, DurationSummary>> = {};
    let age = 0;
    for (const [at, { name, slots }] of WINDOWS.entries()) {
      for (; age < Math.min(slots, KEPT_SLOTS); age += 1) {
        for (const recorder of recorders) {
          const slot = recorder.slot(age);
          if (slot === undefined) continue;
          this.one.add(slot);
          // This slot belongs to this window and to all longer ones.
          for (let longer = at; longer < WINDOWS.length; longer += 1) this.all[longer]?.add(slot);
        }
      }
      byName[name] = summaryOf(this.one, seconds[at] ?? 1);
    }
    return byName as ByWindow<DurationSummary>;
  }
}

function summaryOf(sketch: DurationSketch, seconds: number): DurationSummary {
  const { count, sumMs, maxMs } = sketch;
  const [p50Ms = null, p95Ms = null, p99Ms = null] = sketch
    .percentiles([0.5, 0.95, 0.99])
    .map((ms) => (ms === null ? null : rounded(ms)));
  return {
    count,
    perSecond: rounded(count / seconds),
    p50Ms,
    p95Ms,
    p99Ms,
    averageMs: count === 0 ? null : rounded(sumMs / count),
    maxMs: count === 0 ? null : rounded(maxMs),
  };
}

/** To four significant digits or three decimals, whichever says more. */
function rounded(value: number): number {
  const decimals = Math.round(value * 1_000) / 1_000;
  return value < 1 ? Number(value.toPrecision(4)) : decimals;
}
