import { describe, expect, it } from '@jest/globals';
import {
  lastSessionsOfDay,
  type SessionRisk,
  sessionTimeout,
  type SessionUse,
} from './session-timeout.js';

const HOUR_MS = 3_600_000;

function minutesOf(
  uses: readonly SessionUse[],
  roles: readonly string[],
  important: boolean,
  risk: SessionRisk,
): number {
  return sessionTimeout({ uses, roles, important, risk }).timeoutSeconds / 60;
}

const LOW: SessionUse[] = [];
const MEDIUM: SessionUse[] = [{ count: 21, hoursAgo: 0 }];
const HIGH: SessionUse[] = [{ count: 51, hoursAgo: 0 }];

describe('sessionTimeout', () => {
  it.each([
    [MEDIUM, [], false, 'normal', 30],
    [HIGH, [], false, 'normal', 45],
    [LOW, [], false, 'normal', 21],
    [MEDIUM, ['admin'], false, 'normal', 60],
    [MEDIUM, ['premium'], false, 'normal', 45],
    [MEDIUM, ['premium', 'admin'], false, 'normal', 60],
    [MEDIUM, ['member'], false, 'normal', 30],
    [MEDIUM, [], true, 'normal', 39],
    [MEDIUM, [], false, 'high', 18],
    [MEDIUM, [], false, 'trusted', 36],
    [HIGH, ['admin'], true, 'trusted', 30 * 1.5 * 2 * 1.3 * 1.2],
    [LOW, [], false, 'high', 30 * 0.7 * 0.6],
  ] as const)(
    'of %j %j important: %s, risk %s is %d minutes',
    (uses, roles, important, risk, minutes) => {
      expect(minutesOf(uses, roles, important, risk)).toBeCloseTo(minutes, 1);
    },
  );

  it.each([
    [50, 'medium'],
    [50.01, 'high'],
    [20, 'low'],
    [20.01, 'medium'],
  ])('takes an activity of %d for %s', (count, level) => {
    const { factors } = sessionTimeout({
      uses: [{ count, hoursAgo: 0 }],
      roles: [],
      important: false,
      risk: 'normal',
    });
    expect(factors.activity.level).toBe(level);
  });

  it('weighs what was done by how long it was ago', () => {
    const { factors } = sessionTimeout({
      uses: [
        { count: 30, hoursAgo: 0 },
        { count: 30, hoursAgo: 1 },
        { count: 40, hoursAgo: 3 },
      ],
      roles: [],
      important: false,
      risk: 'normal',
    });
    expect(factors.activity).toEqual({ score: 55, level: 'high', factor: 1.5 });
  });

  it('shows factors whose product is the time-out, the same for the same inputs', () => {
    const inputs = { uses: HIGH, roles: ['premium'], important: true, risk: 'high' } as const;
    const { timeoutSeconds, factors } = sessionTimeout(inputs);
    const { activity, role, context, risk, baseMinutes } = factors;
    const product = baseMinutes * activity.factor * role.factor * context.factor * risk.factor;
    expect(timeoutSeconds).toBe(Math.round(product * 60));
    expect(sessionTimeout(inputs)).toEqual({ timeoutSeconds, factors });
  });

  it('stays between 5 and 480 minutes', () => {
    for (const uses of [LOW, MEDIUM, HIGH])
      for (const roles of [[], ['premium'], ['admin']])
        for (const important of [true, false])
          for (const risk of ['trusted', 'normal', 'high'] as const) {
            const minutes = minutesOf(uses, roles, important, risk);
            expect(minutes).toBeGreaterThanOrEqual(5);
            expect(minutes).toBeLessThanOrEqual(480);
          }
  });
});

describe('lastSessionsOfDay', () => {
  it('takes the ten latest of the last 24 hours', () => {
    const nowMs = 100 * HOUR_MS;
    const sessions = Array.from({ length: 30 }, (_, index) => ({
      lastActiveAt: new Date(nowMs - index * 2 * HOUR_MS),
      requestCount: index,
    }));
    const uses = lastSessionsOfDay(sessions, nowMs);
    expect(uses).toHaveLength(10);
    expect(uses[9]).toEqual({ count: 9, hoursAgo: 18 });
    const old = sessions.map(({ requestCount, lastActiveAt }) => ({
      requestCount,
      lastActiveAt: new Date(lastActiveAt.getTime() - 20 * HOUR_MS),
    }));
    expect(lastSessionsOfDay(old, nowMs)).toHaveLength(3);
  });

  it('takes a session of the future, by the clock of another machine, for one of now', () => {
    const uses = lastSessionsOfDay([{ lastActiveAt: new Date(5_000), requestCount: 3 }], 1_000);
    expect(uses).toEqual([{ count: 3, hoursAgo: 0 }]);
  });
});
