import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { authSettings } from '#libs/auth';
import { SettingsStore } from '#libs/config';
import { ManualClock } from '#libs/core';
import { ThrottledError } from '../../libs/auth/src/errors/auth-overload.error.js';
import { FailureStore } from '../../libs/auth/src/throttle/failure.store.js';
import { FailureThrottle } from '../../libs/auth/src/throttle/failure-throttle.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const fail = () => Promise.resolve(undefined);
const succeed = () => Promise.resolve('in');

describe('FailureThrottle', () => {
  const clock = new ManualClock(Date.now());
  let database: TestDatabase;
  let throttle: FailureThrottle;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    await database.dataSource.query('TRUNCATE auth_failure');
    throttle = newProcess();
  });

  function newProcess(): FailureThrottle {
    const settings = new SettingsStore([authSettings], {
      overrides: { auth: { failureWindowSeconds: 60, failureTableMaxEntries: 100 } },
    });
    return new FailureThrottle(new FailureStore(database.dataSource), settings, clock);
  }

  async function rows(): Promise<number> {
    const [row] = await database.dataSource.query<{ count: number }[]>(
      'SELECT count(*)::integer AS count FROM auth_failure',
    );
    return row?.count ?? 0;
  }

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
    let slow: Promise<unknown> = Promise.resolve();
    await new Promise<void>((started) => {
      slow = throttle.attempt([{ key: 'a', limit: 1 }], () => {
        started();
        return new Promise<string>((resolve) => (succeedNow = resolve));
      });
    });
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

  it('counts over all processes, and for simultaneous attempts of them', async () => {
    const processes = [newProcess(), newProcess(), newProcess()];
    let tried = 0;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }).flatMap(() =>
        processes.map((process) =>
          process.attempt([{ key: 'a', limit: 7 }], () => {
            tried += 1;
            return fail();
          }),
        ),
      ),
    );
    expect(tried).toBe(7);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(53);
  });

  it('tells an attempt how many failures there were before, by key', async () => {
    await failTimes('a', 2, 10);
    const keys = [
      { key: 'a', limit: 10 },
      { key: 'b', limit: 10 },
    ];
    let before: ReadonlyMap<string, number> | undefined;
    await throttle.attempt(keys, (failures) => {
      before = failures;
      return succeed();
    });
    expect([before?.get('a'), before?.get('b')]).toEqual([2, 0]);
  });

  it('leaves no trace of who never fails, and asks nobody about who is refused', async () => {
    await throttle.attempt([{ key: 'a', limit: 1 }], succeed);
    expect(await rows()).toBe(0);
    await failTimes('a', 1, 1);
    await expect(failTimes('a', 1, 1)).rejects.toThrow(ThrottledError);
    await database.dataSource.query('TRUNCATE auth_failure');
    await expect(failTimes('a', 1, 1)).rejects.toThrow(ThrottledError);
    expect(await rows()).toBe(0);
  });

  it('takes an attempt of a process that died for a failure, until the window ends', async () => {
    const died = new FailureStore(database.dataSource);
    await died.reserve(['a'], clock.now(), 60);
    await expect(failTimes('a', 1, 1)).rejects.toThrow(ThrottledError);
    clock.advance(60_000);
    await expect(failTimes('a', 1, 1)).resolves.toBeUndefined();
  });

  it('does not deadlock when attempts name the same keys in another order', async () => {
    const [a, b] = [
      { key: 'a', limit: 1_000 },
      { key: 'b', limit: 1_000 },
    ];
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        throttle.attempt(index % 2 === 0 ? [a, b] : [b, a], fail),
      ),
    );
    await expect(failTimes('a', 1, 41)).resolves.toBeUndefined();
    await expect(failTimes('a', 1, 41)).rejects.toThrow(ThrottledError);
  });
});
