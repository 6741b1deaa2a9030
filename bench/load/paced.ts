import { setTimeout as sleep } from 'node:timers/promises';

export interface PacedOptions {
  readonly users: number;
  /** Mean time from one act of a user to the next, of a Poisson process. */
  readonly meanGapMs: number;
  readonly durationMs: number;
  /** One act of a user; returns the name under which its time is kept. */
  readonly act: (user: number) => Promise<string>;
  readonly onProgress?: (elapsedMs: number) => void;
}

export interface PacedResult {
  /** From when an act was due to its end, by the name of the act. */
  readonly latenciesMs: ReadonlyMap<string, readonly number[]>;
  readonly errors: readonly string[];
  readonly durationMs: number;
}

const DRAIN_MS = 30_000;
const PROGRESS_MS = 250;
const MAX_ERRORS = 1_000;

/**
 * Has users act at times that are fixed beforehand, whatever becomes of what they did before (an open
 * model). Times count from when an act was due, so that waiting for the one before is part of them.
 */
export async function runPaced(options: PacedOptions): Promise<PacedResult> {
  const { users, meanGapMs, durationMs, act, onProgress } = options;
  const latencies = new Map<string, number[]>();
  const errors: string[] = [];
  const startedMs = performance.now();
  let running = 0;

  const actAt = async (user: number, dueMs: number, before: Promise<void>): Promise<void> => {
    running += 1;
    await before;
    try {
      const name = await act(user);
      const times = latencies.get(name);
      const ms = performance.now() - dueMs;
      if (times === undefined) latencies.set(name, [ms]);
      else times.push(ms);
    } catch (error) {
      if (errors.length < MAX_ERRORS) errors.push(String(error));
    }
    running -= 1;
  };

  const live = async (user: number): Promise<void> => {
    let last = Promise.resolve();
    let dueMs = startedMs + gap(meanGapMs);
    while (dueMs < startedMs + durationMs) {
      await sleep(Math.max(0, dueMs - performance.now()));
      last = actAt(user, dueMs, last);
      dueMs += gap(meanGapMs);
    }
    await Promise.race([last, sleep(DRAIN_MS, undefined, { ref: false })]);
  };

  const timer = setInterval(() => onProgress?.(performance.now() - startedMs), PROGRESS_MS);
  await Promise.all(Array.from({ length: users }, (_, user) => live(user)));
  clearInterval(timer);
  if (running > 0) errors.push(`${running} acts did not end`);
  return { latenciesMs: latencies, errors, durationMs: performance.now() - startedMs };
}

/** The time between two events of a Poisson process. */
function gap(meanMs: number): number {
  return -Math.log(1 - Math.random()) * meanMs;
}
