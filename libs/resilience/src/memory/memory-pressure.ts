import { eventChannel } from '#libs/core';

/**
 * How near the process is to the end of its memory. `shed`: caches give memory back. `critical`:
 * work that can wait is refused too.
 */
export type MemoryPressureLevel = 'normal' | 'shed' | 'critical';

export const MEMORY_PRESSURE_LEVELS: readonly MemoryPressureLevel[] = [
  'normal',
  'shed',
  'critical',
];

/** What says how much memory there is. */
export type MemoryBoundSource = 'setting' | 'cgroup' | 'machine' | 'heap';

export interface MemoryPressureEvent {
  readonly level: MemoryPressureLevel;
  readonly previous: MemoryPressureLevel;
  /** Of the bound that is nearest to being reached. */
  readonly usedBytes: number;
  readonly limitBytes: number;
  readonly source: MemoryBoundSource;
}

/**
 * Published when the level changes, and again with `previous` equal to `level` when a collection of
 * garbage has not ended the pressure: whoever gives memory back gives more of it then.
 */
export const memoryPressure = eventChannel<MemoryPressureEvent>(
  'pantheon.resilience.memory-pressure',
);
