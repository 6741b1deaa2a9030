import { beforeEach, describe, expect, it } from '@jest/globals';
import { SettingsStore } from '#libs/config';
import { ManualClock } from '#libs/core';
import { authSettings } from '../auth.settings.js';
import { ThrottledError } from '../errors/auth-overload.error.js';
import { FailureThrottle } from './failure-throttle.js';

const fail = () => Promise.resolve(undefined);
const succeed = () => Promise.resolve('in');

describe('FailureThrottle', () => {
  const clock = new ManualClock();
  let throttle: FailureThrottle;

  beforeEach(() => {
    const settings = new SettingsStore([authSettings], {
      overrides: { auth: { failureWindowSeconds: 60, failureTableMaxEntries: 100 } },
    });
    throttle = new FailureThrottle(settings, clock);
  });

  async function failTimes(key: string, times: number, limit: number): Promise<void> {
    for (let time = 0; time < times; time += 1) await throttle.attempt([{ key, limit }], fail);
  }

  it('refuses without trying once a key has failed as often as it may', async () => {
    await failTimes('a', 3, 3);
    let tried = false;
    const attempt = throttle.attempt([{ key: 'a', limit: 3 }], () => {
      tried = true;
      return succeed();
    });
    await expect(attempt).rejects.toThrow(ThrottledError);
    expect(tried).toBe(false);
    await expect(throttle.attempt([{ key: 'b', limit: 3 }], succeed)).resolves.toBe('in');
  });

  it('says after how many seconds the window ends, and refuses until then only', async () => {
    await failTimes('a', 2, 2);
    clock.advance(20_500);
    await expect(throttle.attempt([{ key: 'a', limit: 2 }], fail)).rejects.toMatchObject({
      code: 'AUTH_THROTTLED',
      kind: 'rate-limited',
      retryAfterSeconds: 40,
    });
    clock.advance(39_500);
    await expect(throttle.attempt([{ key: 'a', limit: 2 }], succeed)).resolves.toBe('in');
  });

  it('stays within the limit for simultaneous attempts', async () => {
    let tried = 0;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, () =>
        throttle.attempt([{ key: 'a', limit: 5 }], async () => {
          tried += 1;
          await Promise.resolve();
          return undefined;
        }),
      ),
    );
    expect(tried).toBe(5);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(45);
  });

  it('asks to come back in a second when attempts under way may all fail', async () => {
    let succeedNow: (result: string) => void = () => undefined;
    const slow = throttle.attempt(
      [{ key: 'a', limit: 1 }],
      () => new Promise<string>((resolve) => (succeedNow = resolve)),
    );
    await expect(throttle.attempt([{ key: 'a', limit: 1 }], succeed)).rejects.toMatchObject({
      retryAfterSeconds: 1,
    });
    succeedNow('in');
    await slow;
    await expect(throttle.attempt([{ key: 'a', limit: 1 }], succeed)).resolves.toBe('in');
  });

  it('counts neither successes nor attempts that broke', async () => {
    for (let time = 0; time < 10; time += 1) {
      await throttle.attempt([{ key: 'a', limit: 1 }], succeed);
      const broken = throttle.attempt([{ key: 'a', limit: 1 }], () =>
        Promise.reject(new Error('database down')),
      );
      await expect(broken).rejects.toThrow('database down');
    }
  });

  it('forgives earlier failures after a success only where it is told to', async () => {
    const keys = [
      { key: 'strict', limit: 3 },
      { key: 'forgiving', limit: 3, forgiving: true },
    ];
    await throttle.attempt(keys, fail);
    await throttle.attempt(keys, fail);
    await throttle.attempt(keys, succeed);
    await failTimes('forgiving', 3, 3);
    await failTimes('strict', 1, 3);
    await expect(failTimes('forgiving', 1, 3)).rejects.toThrow(ThrottledError);
    await expect(failTimes('strict', 1, 3)).rejects.toThrow(ThrottledError);
  });

  it('counts nothing on the other keys when one of them refuses', async () => {
    await failTimes('a', 1, 1);
    const both = [
      { key: 'b', limit: 1 },
      { key: 'a', limit: 1 },
    ];
    await expect(throttle.attempt(both, fail)).rejects.toThrow(ThrottledError);
    await expect(throttle.attempt([{ key: 'b', limit: 1 }], succeed)).resolves.toBe('in');
  });

  it('forgets the oldest windows when its table is full', async () => {
    await failTimes('victim', 1, 1);
    for (let other = 0; other < 100; other += 1) await failTimes(`other-${other}`, 1, 1);
    await expect(failTimes('victim', 1, 1)).resolves.toBeUndefined();
    await expect(failTimes('other-99', 1, 1)).rejects.toThrow(ThrottledError);
  });
});
