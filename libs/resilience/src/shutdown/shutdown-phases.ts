import { setTimeout as sleep } from 'node:timers/promises';

/** Numbers that a part tells of its end, by what they count. */
export type ShutdownFigures = Readonly<Record<string, number>>;

/** A part of the end of a process. */
export interface ShutdownPhase {
  readonly name: string;
  readonly deadlineMs: number;
  /**
   * Does its work, and gives it up when `signal` aborts, which is at the deadline. What does not end
   * soon after that is left behind.
   */
  run(signal: AbortSignal): Promise<void>;
}

/** What became of a phase. */
export interface PhaseReport {
  readonly name: string;
  readonly ms: number;
  readonly outcome: 'done' | 'overran' | 'failed';
  /** Why it failed. */
  readonly error?: unknown;
}

/** After the deadline, time to give up in order: to cut connections off and count them. */
const GIVE_UP_MS = 500;

/**
 * Runs phases one after another. One that fails or does not end in time does not keep the next
 * from running: a process that ends closes whatever can be closed. Never rejects.
 */
export async function runPhases(phases: readonly ShutdownPhase[]): Promise<PhaseReport[]> {
  const reports: PhaseReport[] = [];
  for (const phase of phases) reports.push(await runPhase(phase));
  return reports;
}

async function runPhase(phase: ShutdownPhase): Promise<PhaseReport> {
  const { name, deadlineMs } = phase;
  const startedAtMs = performance.now();
  const deadline = new AbortController();
  const over = new AbortController();
  const ended = endOf(phase, deadline.signal);
  // Not unref'ed: a phase may wait for something that holds no process, and the next must still come.
  const overrun = sleep(deadlineMs, undefined, { signal: over.signal })
    .then(() => {
      deadline.abort();
      return sleep(GIVE_UP_MS, undefined, { signal: over.signal });
    })
    .catch(() => undefined)
    .then(() => ({ outcome: 'overran' }) as const);
  const result = await Promise.race([ended, overrun]);
  over.abort();
  const ms = Math.round(performance.now() - startedAtMs);
  // It may have ended because it was told to give up.
  if (result.outcome === 'done' && deadline.signal.aborted) return { name, ms, outcome: 'overran' };
  return { name, ms, ...result };
}

async function endOf(
  phase: ShutdownPhase,
  signal: AbortSignal,
): Promise<Pick<PhaseReport, 'outcome' | 'error'>> {
  try {
    await phase.run(signal);
    return { outcome: 'done' };
  } catch (error) {
    return { outcome: 'failed', error };
  }
}
