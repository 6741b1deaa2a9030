import { describe, expect, it } from '@jest/globals';
import { PantheonError } from '#libs/core';
import { circuitChanged } from './policy.channels.js';
import { testPolicy, withDeadline } from './testing/policies.js';

describe('the breaker of a policy', () => {
  const circuit = {
    minimumCalls: 4,
    failurePercent: 50,
    windowMs: 10_000,
    openMs: 1_000,
    maxOpenMs: 3_000,
  };

  it('opens when enough calls of the window failed, and calls nothing but probes while it is open', async () => {
    const { part, askOften, ask, clock, policy } = testPolicy({ circuit });
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
    const { part, askOften, clock, policy } = testPolicy({ circuit });
    part.isIll = true;
    await askOften(3);
    clock.advance(10_000);
    await askOften(3);
    expect(policy.state).toBe('closed');
    await askOften(1);
    expect(policy.state).toBe('open');
  });

  it('lets one probe through and refuses the others at once, however long that takes', async () => {
    const { part, askOften, ask, clock, policy } = testPolicy({ circuit });
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
    const { policy } = testPolicy({ circuit });
    const refuse = () => Promise.reject(new PantheonError('NO', 'No.', { kind: 'not-found' }));
    for (let time = 0; time < 10; time += 1) {
      await expect(policy.execute(refuse)).rejects.toMatchObject({ code: 'NO' });
    }
    expect(policy.state).toBe('closed');
  });

  it('takes nothing from callers without patience, neither failures nor the outcome of a probe', async () => {
    const { part, askOften, ask, clock, policy } = testPolicy({ circuit, timeoutMs: 60_000 });
    const never = (): Promise<never> => new Promise(() => undefined);
    for (let time = 0; time < 6; time += 1) {
      const call = withDeadline(5, () => policy.execute(never));
      await expect(call).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    }
    expect(policy.state).toBe('closed');
    part.isIll = true;
    await askOften(4);
    clock.advance(1_000);
    // Enough for a busy machine to have sent the probe.
    const probe = withDeadline(100, () => policy.execute(part.hold));
    await expect(probe).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(policy.state).toBe('half-open');
    part.isIll = false;
    part.releaseOne();
    await new Promise(setImmediate);
    await expect(ask()).resolves.toBe('answer');
  });

  it('takes nothing from callers who leave, whatever they say and the part makes of it', async () => {
    const { policy } = testPolicy({ circuit, isFailure: () => true });
    const heedless = (): Promise<never> => new Promise(() => undefined);
    for (let time = 0; time < 6; time += 1) {
      const caller = new AbortController();
      const call = policy.execute(heedless, { signal: caller.signal });
      await new Promise(setImmediate);
      caller.abort();
      await expect(call).rejects.toBe(caller.signal.reason);
    }
    expect(policy.state).toBe('closed');
    expect(policy.breaker?.window).toEqual({ succeeded: 0, failed: 0 });
    expect(policy.counts.calls.cancelled).toBe(6);
    const { signal } = new AbortController();
    for (let time = 0; time < 4; time += 1) {
      const failing = policy.execute(() => Promise.reject(new Error('ill')), { signal });
      await expect(failing).rejects.toThrow('ill');
    }
    expect(policy.state).toBe('open');
  });

  it('is held open and closed by hand, and tells of each change', async () => {
    const { policy, policies, ask } = testPolicy({ circuit });
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
    const { part, askOften, ask, policies } = testPolicy({ circuit });
    part.isIll = true;
    await askOften(4);
    part.isIll = false;
    policies.close('part');
    await expect(ask()).resolves.toBe('answer');
  });
});
