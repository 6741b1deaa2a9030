import type { EvidenceValue } from '../finding.js';
import type { MeterReading } from './statement-meter.js';

/** What an index is judged by. */
export interface VerdictInput {
  /** Counts up to the moment the index was there. */
  readonly before: MeterReading;
  /** Counts up to now. */
  readonly now: MeterReading;
  /** Scans of the index so far. */
  readonly scans: number;
  /** Whether it was waited as long as one waits at most. */
  readonly isLast: boolean;
}

export interface VerdictLimits {
  /** Calls of a statement since the build before its mean says anything. */
  readonly minCalls: number;
  /** Share of the time that the index must save to pay for itself. */
  readonly minGain: number;
}

export const DEFAULT_VERDICT_LIMITS: VerdictLimits = { minCalls: 20, minGain: 0.05 };

export interface Verdict {
  readonly decision: 'keep' | 'revert' | 'wait';
  /** Whether the gain was measured, and is one. */
  readonly isVerified: boolean;
  /** Share of the statements' time that is saved; null when it could not be measured. */
  readonly gain: number | null;
  readonly reason: string;
  readonly statements: readonly Readonly<Record<string, EvidenceValue>>[];
}

/**
 * Whether an index pays: compares the mean time of each statement that it was built for before and
 * since, weighed by the calls since.
 */
export function judgeIndex(
  { before, now, scans, isLast }: VerdictInput,
  { minCalls, minGain }: VerdictLimits = DEFAULT_VERDICT_LIMITS,
): Verdict {
  const measured = Object.entries(before).flatMap(([fingerprint, old]) => {
    const since = sinceThen(old, now[fingerprint]);
    if (since.calls < minCalls || old.calls < minCalls) return [];
    const beforeMs = old.totalMs / old.calls;
    return [{ fingerprint, calls: since.calls, beforeMs, afterMs: since.totalMs / since.calls }];
  });
  const spent = (ms: (each: (typeof measured)[number]) => number) =>
    measured.reduce((sum, each) => sum + each.calls * ms(each), 0);
  const expected = spent(({ beforeMs }) => beforeMs);
  const gain = expected > 0 ? 1 - spent(({ afterMs }) => afterMs) / expected : null;
  const common = { gain, statements: measured };
  if (gain === null) {
    if (!isLast)
      return {
        ...common,
        decision: 'wait',
        isVerified: false,
        reason: 'there were too few calls so far',
      };
    return scans === 0
      ? { ...common, decision: 'revert', isVerified: false, reason: 'nothing read the index' }
      : {
          ...common,
          decision: 'keep',
          isVerified: false,
          reason: 'the index is read, but there were too few calls to measure a gain',
        };
  }
  const unverified = { ...common, isVerified: false };
  const percent = `${(gain * 100).toFixed(1)} %`;
  if (gain < minGain) {
    return { ...unverified, decision: 'revert', reason: `it saves only ${percent} of the time` };
  }
  if (scans === 0) {
    // Sessions report scans seconds after statements, so a single look proves nothing.
    const reason = `its statements take ${percent} less, but nothing read the index`;
    return { ...unverified, decision: isLast ? 'revert' : 'wait', reason };
  }
  return {
    ...common,
    decision: 'keep',
    isVerified: true,
    reason: `it saves ${percent} of the time`,
  };
}

/** Counters that are lower than before were reset in between. */
function sinceThen(
  before: { readonly calls: number; readonly totalMs: number },
  now: { readonly calls: number; readonly totalMs: number } | undefined,
) {
  if (now === undefined) return { calls: 0, totalMs: 0 };
  if (now.calls < before.calls) return now;
  return { calls: now.calls - before.calls, totalMs: now.totalMs - before.totalMs };
}
