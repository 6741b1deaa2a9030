import { describe, expect, it } from '@jest/globals';
import { PantheonError } from '#libs/core';
import { testPolicies, testPolicy, withDeadline } from './testing/policies.js';

describe('time', () => {
  it('is up after the time-out, and the call is told', async () => {
    const { policy } = testPolicy({ timeoutMs: 20 });
    let signal: AbortSignal | undefined;
    const call = policy.execute((context) => {
      signal = context.signal;
      return new Promise<never>(() => undefined);
    });
    await expect(call).rejects.toMatchObject({ code: 'CALL_TIMED_OUT', kind: 'timeout' });
    expect(signal?.aborted).toBe(true);
    expect(policy.counts.calls['timed-out']).toBe(1);
  });

  it('that the request has left bounds the call', async () => {
    const { policy } = testPolicy({ timeoutMs: 60_000 });
    const timeouts: number[] = [];
    await withDeadline(30_000, () =>
      policy.execute(({ timeoutMs }) => void timeouts.push(timeoutMs)),
    );
    expect(timeouts[0]).toBeLessThanOrEqual(30_000);
    const late = withDeadline(-1, () => policy.execute(() => 'called'));
    await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('of a caller who leaves ends the call with the reason', async () => {
    const { policy } = testPolicy();
    const caller = new AbortController();
    const call = policy.execute(() => new Promise<never>(() => undefined), {
      signal: caller.signal,
      fallback: () => 'never asked for',
    });
    caller.abort(new Error('left'));
    await expect(call).rejects.toThrow('left');
    expect(policy.counts.calls.cancelled).toBe(1);
  });
});

describe('a fallback', () => {
  it('stands in for what is ill, and not for answers', async () => {
    const { part, policy } = testPolicy();
    part.isIll = true;
    const fallback = (error: unknown): string => `instead of ${(error as { code: string }).code}`;
    expect(await policy.execute(part.ask, { fallback })).toBe('instead of ECONNRESET');
    const wrong = new PantheonError('WRONG', 'Wrong.', { kind: 'invalid' });
    await expect(policy.execute(() => Promise.reject(wrong), { fallback })).rejects.toBe(wrong);
    expect(policy.counts.fallbacks).toBe(1);
  });
});

describe('the settings', () => {
  it('change the limits of a policy while it runs', async () => {
    const { store, policy, part, askOften } = testPolicy({ timeoutMs: 500 });
    store.overrideAll({
      'resilience.policies': {
        part: { timeoutMs: 100, circuit: { minimumCalls: 2 }, bulkhead: { maxConcurrent: 3 } },
      },
    });
    expect(policy.limits).toMatchObject({
      timeoutMs: 100,
      circuit: { minimumCalls: 2, openMs: 5_000 },
      bulkhead: { maxConcurrent: 3, maxQueued: 100 },
    });
    part.isIll = true;
    await askOften(2);
    expect(policy.state).toBe('open');
    store.withdrawOverrides(['resilience.policies']);
    expect(policy.limits).toMatchObject({ timeoutMs: 500, circuit: { minimumCalls: 10 } });
  });

  it('refuse what makes no sense', () => {
    const { store } = testPolicies();
    const set = (value: object) => () => store.overrideAll({ 'resilience.policies': value });
    expect(set({ part: { timeoutMs: 0 } })).toThrow('resilience.policies.part.timeoutMs');
    expect(set({ part: { timeout: 1 } })).toThrow('resilience.policies.part');
  });
});

describe('names', () => {
  it('belong to one policy', () => {
    const { policies } = testPolicy();
    expect(() => policies.define('part')).toThrow('There is a policy "part" already.');
    expect(() => policies.define('a b')).toThrow('no name');
  });
});
