import type { PhaseReport, ShutdownFigures } from './shutdown-phases.js';

/** How a process ended. */
export interface ShutdownReport {
  /** What told it to end, such as `SIGTERM`. */
  readonly cause: string;
  readonly totalMs: number;
  readonly phases: readonly PhaseReport[];
  /** By who told them: `requests`, `jobs`. */
  readonly figures: ReadonlyMap<string, ShutdownFigures>;
}

/** Whether every phase did what it should within its time. */
export function endedInOrder({ phases }: ShutdownReport): boolean {
  return phases.every(({ outcome }) => outcome === 'done');
}

/** The report as fields of one line of the log. */
export function toLogFields({ cause, totalMs, phases, figures }: ShutdownReport): object {
  const named = (wanted: PhaseReport['outcome']): readonly string[] =>
    phases.filter(({ outcome }) => outcome === wanted).map(({ name }) => name);
  const failures = phases.flatMap(({ error }) => (error === undefined ? [] : [error]));
  return {
    cause,
    totalMs,
    ...Object.fromEntries(figures),
    phasesMs: Object.fromEntries(phases.map(({ name, ms }) => [name, ms])),
    overran: named('overran'),
    failed: named('failed'),
    ...(failures.length === 0 ? {} : { err: failures[0] }),
  };
}

/** The report in one sentence for a person at a terminal. */
export function toSentence({ cause, totalMs, phases, figures }: ShutdownReport): string {
  const counts = [...figures].map(
    ([name, counted]) =>
      `${name}: ${Object.entries(counted)
        .map(([what, count]) => `${count} ${what}`)
        .join(', ')}`,
  );
  const times = phases.map(({ name, ms, outcome }) => {
    return `${name} ${ms} ms${outcome === 'done' ? '' : ` (${outcome})`}`;
  });
  return `Ended after ${cause} in ${totalMs} ms (${times.join(', ')}). ${counts.join('; ')}`.trim();
}
