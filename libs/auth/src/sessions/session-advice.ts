import type { LiveSessionRow } from './session.store.js';
import type { SessionTimeout } from './session-timeout.js';

/** What the user of a session is advised to do. */
export interface SessionAdvice {
  readonly advice: 'keep' | 'renew' | 'let-lapse' | 'log-in-again';
  readonly reasons: readonly string[];
}

/** Below this part of the time-out a session that is in use wants to be renewed. */
const RENEW_BELOW = 0.25;
/** A time-out that would be longer by this much is worth a renewal. */
const WORTHWHILE_GAIN = 1.2;

/**
 * Advice on a session: with a high risk, or near its greatest age, only a new log-in helps; one that
 * is about to end while it is in use, or deserves a longer time-out, is worth renewing; one that
 * nobody has used for half of its time-out may lapse.
 */
export function adviseOn(
  session: LiveSessionRow,
  { timeoutSeconds, factors }: SessionTimeout,
  nowMs: number,
  maxAgeSeconds: number,
): SessionAdvice {
  if (session.risk === 'high') {
    return {
      advice: 'log-in-again',
      reasons: [`The risk is high: ${session.anomalies.join(', ')}.`],
    };
  }
  const endsForGoodMs = session.createdAt.getTime() + maxAgeSeconds * 1000;
  if (endsForGoodMs - nowMs <= timeoutSeconds * 1000) {
    return {
      advice: 'log-in-again',
      reasons: ['The session reaches its greatest age before a renewal would run out.'],
    };
  }
  const { idleTimeoutSeconds } = session;
  if (idleTimeoutSeconds === null) {
    return { advice: 'keep', reasons: ['Only its refresh token limits this session.'] };
  }
  const remainingMs = session.expiresAt.getTime() - nowMs;
  const unusedMs = nowMs - session.lastActiveAt.getTime();
  if (unusedMs > (idleTimeoutSeconds * 1000) / 2 && factors.activity.level === 'low') {
    return {
      advice: 'let-lapse',
      reasons: ['It was not used for more than half of its time-out, and activity is low.'],
    };
  }
  const reasons: string[] = [];
  if (remainingMs < idleTimeoutSeconds * 1000 * RENEW_BELOW) {
    reasons.push(`It ends in ${Math.max(0, Math.round(remainingMs / 1000))} s unless it is used.`);
  }
  if (timeoutSeconds >= idleTimeoutSeconds * WORTHWHILE_GAIN) {
    reasons.push(`A renewal would give ${timeoutSeconds} s instead of ${idleTimeoutSeconds} s.`);
  }
  if (reasons.length > 0) return { advice: 'renew', reasons };
  return { advice: 'keep', reasons: ['It goes on as long as it is used.'] };
}
