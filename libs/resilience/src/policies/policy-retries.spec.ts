import { describe, expect, it } from '@jest/globals';
import { testPolicy, withDeadline } from './testing/policies.js';

describe('retries', () => {
  const retry = { retries: 2, delayMs: 1, maxDelayMs: 5 };

  it('repeat what may go well the next time', async () => {
    const { part, policy } = testPolicy({ retry });
    part.isIll = true;
    const attempts: number[] = [];
    const answer = await policy.execute(({ attempt }) => {
      attempts.push(attempt);
      if (attempt === 3) part.isIll = false;
      return part.ask();
    });
    expect([answer, attempts, policy.counts.retries]).toEqual(['answer', [1, 2, 3], 2]);
  });

  it.each([
    ['errors that would come again', new TypeError('wrong'), {}],
    [
      'calls that must not be repeated',
      Object.assign(new Error(), { code: 'EPIPE' }),
      { mayRetry: false },
    ],
    [
      'a part that asks to be left alone',
      Object.assign(new Error(), { code: 'EPIPE', retryAfterMs: 9_000 }),
      {},
    ],
  ])('leave out %s', async (_, error, options) => {
    const { policy } = testPolicy({ retry });
    await expect(policy.execute(() => Promise.reject(error), options)).rejects.toBe(error);
    expect(policy.counts.attempts).toBe(1);
  });

  it('stay within a tenth of the calls and a few beside', async () => {
    const { part, askOften, policy, clock } = testPolicy({
      circuit: false,
      retry: { ...retry, budgetPercent: 10, budgetFloor: 3, budgetWindowMs: 10_000 },
    });
    part.isIll = true;
    await askOften(200);
    expect(policy.counts.retries).toBe(23);
    expect(policy.counts.attempts).toBe(223);
    expect(policy.counts.retriesDenied).toBeGreaterThan(150);
    expect(policy.retriesLeft).toBe(0);
    clock.advance(10_000);
    expect(policy.retriesLeft).toBe(3);
  });

  it('are not begun when the request has no time for them', async () => {
    const { part, policy } = testPolicy({
      retry: { ...retry, delayMs: 50_000, maxDelayMs: 60_000 },
    });
    part.isIll = true;
    const call = withDeadline(100, () => policy.execute(part.ask));
    await expect(call).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(part.calls).toBe(1);
  });
});
