import { describe, expect, it } from '@jest/globals';
import { PantheonError } from '#libs/core';
import { createContext, runWithContext } from '#libs/logging';
import { circuitChanged } from './policy.channels.js';
import type { PolicyOptions } from './policy.options.js';
import { Part, testPolicies } from './testing/policies.js';

function setUp(options: PolicyOptions = {}) {
  const parts = testPolicies();
  const policy = parts.policies.define('part', options);
  const part = new Part();
  const ask = (): Promise<string> => policy.execute(part.ask);
  const askOften = async (times: number): Promise<unknown[]> => {
    const answers: unknown[] = [];
    for (let time = 0; time < times; time += 1) {
      answers.push(await ask().catch((error: { code?: string }) => error.code));
    }
    return answers;
  };
  return { ...parts, policy, part, ask, askOften };
}

/** Runs `work` as for a request whose caller waits for so long. */
function withDeadline<Result>(ms: number, work: () => Result): Result {
  const context = createContext();
  context.deadlineMs = performance.now() + ms;
  return runWithContext(context, work);
}

describe('the breaker of a policy', () => {
  const circuit = {
    minimumCalls: 4,
    failurePercent: 50,
    windowMs: 10_000,
    openMs: 1_000,
    maxOpenMs: 3_000,
  };

  it('opens when enough calls of the window failed, and calls nothing but probes while it is open', async () => {
    const { part, askOften, ask, clock, policy } = setUp({ circuit });
    await askOften(2);
    part.isIll = true;
    expect(await askOften(4)).toEqual(['ECONNRESET', 'ECONNRESET', 'CIRCUIT_OPEN', 'CIRCUIT_OPEN']);
    expect([part.calls, policy.state]).toEqual([4, 'open']);
    // Probes after 1 s, and each time that they fail after twice as long, up to 3 s.
    for (const waitMs of [1_000, 2_000, 3_000, 3_000]) {
      clock.advance(waitMs - 1);
      const before = part.calls;
      expect(await askOften(20)).toEqual(Array(20).fill('CIRCUIT_OPEN'));
      clock.advance(1);
      expect((await askOften(20)).filter((code) => code === 'ECONNRESET')).toHaveLength(1);
      expect(part.calls).toBe(before + 1);
    }
    part.isIll = false;
    clock.advance(3_000);
    await expect(ask()).resolves.toBe('answer');
    expect(policy.state).toBe('closed');
    expect(policy.breaker?.window).toEqual({ succeeded: 0, failed: 0 });
    expect(policy.counts.calls['circuit-open']).toBe(2 + 4 * 20 + 4 * 19);
  });

  it('forgets failures with time, also when nothing is called meanwhile', async () => {
    const { part, askOften, clock, policy } = setUp({ circuit });
    part.isIll = true;
    await askOften(3);
    clock.advance(10_000);
    await askOften(3);
    expect(policy.state).toBe('closed');
    await askOften(1);
    expect(policy.state).toBe('open');
  });

  it('lets one probe through and refuses the others at once, however long that takes', async () => {
    const { part, askOften, ask, clock, policy } = setUp({ circuit });
    part.isIll = true;
    await askOften(4);
    clock.advance(1_000);
    const probe = policy.execute(part.hold);
    expect(policy.state).toBe('half-open');
    await expect(ask()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterSeconds: 1 });
    part.releaseOne();
    await expect(probe).resolves.toBe('answer');
    expect(policy.state).toBe('closed');
  });

  it('does not take answers to wrong questions for failures', async () => {
    const { policy } = setUp({ circuit });
    const refuse = () => Promise.reject(new PantheonError('NO', 'No.', { kind: 'not-found' }));
    for (let time = 0; time < 10; time += 1) {
      await expect(policy.execute(refuse)).rejects.toMatchObject({ code: 'NO' });
    }
    expect(policy.state).toBe('closed');
  });

  it('takes nothing from callers without patience, neither failures nor the outcome of a probe', async () => {
    const { part, askOften, ask, clock, policy } = setUp({ circuit, timeoutMs: 60_000 });
    const never = (): Promise<never> => new Promise(() => undefined);
    for (let time = 0; time < 6; time += 1) {
      const call = withDeadline(5, () => policy.execute(never));
      await expect(call).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    }
    expect(policy.state).toBe('closed');
    part.isIll = true;
    await askOften(4);
    clock.advance(1_000);
    const probe = withDeadline(5, () => policy.execute(part.hold));
    await expect(probe).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(policy.state).toBe('half-open');
    part.isIll = false;
    part.releaseOne();
    await new Promise(setImmediate);
    await expect(ask()).resolves.toBe('answer');
  });

  it('is held open and closed by hand, and tells of each change', async () => {
    const { policy, policies, ask } = setUp({ circuit });
    const changes: string[] = [];
    const stop = circuitChanged.subscribe(({ name, before, state }) => {
      changes.push(`${name}: ${before} → ${state}`);
    });
    await policies.open('part');
    await expect(ask()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    await policies.open('part');
    policies.close('part');
    policies.close('part');
    await expect(ask()).resolves.toBe('answer');
    expect(policy.state).toBe('closed');
    stop();
    expect(changes).toEqual(['part: closed → isolated', 'part: isolated → closed']);
    await expect(policies.open('other')).rejects.toMatchObject({ code: 'BREAKER_NOT_FOUND' });
  });

  it('is closed by hand before its time', async () => {
    const { part, askOften, ask, policies } = setUp({ circuit });
    part.isIll = true;
    await askOften(4);
    part.isIll = false;
    policies.close('part');
    await expect(ask()).resolves.toBe('answer');
  });
});

describe('time', () => {
  it('is up after the time-out, and the call is told', async () => {
    const { policy } = setUp({ timeoutMs: 20 });
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
    const { policy } = setUp({ timeoutMs: 60_000 });
    const timeouts: number[] = [];
    await withDeadline(30_000, () =>
      policy.execute(({ timeoutMs }) => void timeouts.push(timeoutMs)),
    );
    expect(timeouts[0]).toBeLessThanOrEqual(30_000);
    const late = withDeadline(-1, () => policy.execute(() => 'called'));
    await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('of a caller who leaves ends the call with the reason', async () => {
    const { policy } = setUp();
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

describe('retries', () => {
  const retry = { retries: 2, delayMs: 1, maxDelayMs: 5 };

  it('repeat what may go well the next time', async () => {
    const { part, policy } = setUp({ retry });
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
    const { policy } = setUp({ retry });
    await expect(policy.execute(() => Promise.reject(error), options)).rejects.toBe(error);
    expect(policy.counts.attempts).toBe(1);
  });

  it('stay within a tenth of the calls and a few beside', async () => {
    const { part, askOften, policy, clock } = setUp({
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
    const { part, policy } = setUp({ retry: { ...retry, delayMs: 50_000, maxDelayMs: 60_000 } });
    part.isIll = true;
    const call = withDeadline(100, () => policy.execute(part.ask));
    await expect(call).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(part.calls).toBe(1);
  });
});

describe('a bulkhead', () => {
  const bulkhead = { maxConcurrent: 2, maxQueued: 2 };

  it('lets so many calls run and wait, in order, and refuses the next', async () => {
    const { part, policy } = setUp({ bulkhead });
    const calls = Array.from({ length: 4 }, () => policy.execute(part.hold));
    await new Promise(setImmediate);
    expect([part.calls, policy.occupancy]).toEqual([2, { inUse: 2, queued: 2 }]);
    await expect(policy.execute(part.ask)).rejects.toMatchObject({
      code: 'BULKHEAD_FULL',
      kind: 'unavailable',
    });
    for (const call of calls) {
      part.releaseOne();
      await call;
      await new Promise(setImmediate);
    }
    expect([part.calls, policy.occupancy]).toEqual([4, { inUse: 0, queued: 0 }]);
  });

  it('loses no turn when somebody gives up waiting', async () => {
    const { part, policy } = setUp({ bulkhead: { maxConcurrent: 1, maxQueued: 3 } });
    const first = policy.execute(part.hold);
    const impatient = new AbortController();
    const second = policy.execute(part.ask, { signal: impatient.signal });
    const third = policy.execute(part.ask);
    await new Promise(setImmediate);
    impatient.abort(new Error('left'));
    await expect(second).rejects.toThrow('left');
    part.releaseOne();
    await expect(first).resolves.toBe('answer');
    await expect(third).resolves.toBe('answer');
    expect(policy.occupancy).toEqual({ inUse: 0, queued: 0 });
  });

  it('sends those away who wait when the breaker opens', async () => {
    const { policy } = setUp({
      bulkhead: { maxConcurrent: 1, maxQueued: 5 },
      circuit: { minimumCalls: 1, failurePercent: 1 },
    });
    const fail = async (): Promise<never> => {
      await new Promise(setImmediate);
      throw new Error('ill');
    };
    const codes = await Promise.all(
      Array.from({ length: 4 }, () =>
        policy.execute(fail).catch((error: { code?: string }) => error.code ?? 'ill'),
      ),
    );
    expect(codes).toEqual(['ill', 'CIRCUIT_OPEN', 'CIRCUIT_OPEN', 'CIRCUIT_OPEN']);
  });
});

describe('a fallback', () => {
  it('stands in for what is ill, and not for answers', async () => {
    const { part, policy } = setUp();
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
    const { store, policy, part, askOften } = setUp({ timeoutMs: 500 });
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
    const { policies } = setUp();
    expect(() => policies.define('part')).toThrow('There is a policy "part" already.');
    expect(() => policies.define('a b')).toThrow('no name');
  });
});
