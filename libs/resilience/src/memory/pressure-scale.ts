import type { MemoryPressureLevel } from './memory-pressure.js';

/** Parts of the limit, 0 to 1. */
export interface PressureThresholds {
  readonly shedRatio: number;
  readonly criticalRatio: number;
  /** A level is left when the ratio is below where it begins by this much. */
  readonly recoverMargin: number;
}

/** The level at a ratio, given the one before: it rises at once and falls with hysteresis. */
export function nextLevel(
  current: MemoryPressureLevel,
  ratio: number,
  { shedRatio, criticalRatio, recoverMargin }: PressureThresholds,
): MemoryPressureLevel {
  const critical = current === 'critical' ? criticalRatio - recoverMargin : criticalRatio;
  if (ratio >= critical) return 'critical';
  const shed = current === 'normal' ? shedRatio : shedRatio - recoverMargin;
  return ratio >= shed ? 'shed' : 'normal';
}
