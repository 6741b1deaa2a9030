import { describe, expect, it } from '@jest/globals';
import { testPolicy } from './testing/policies.js';

describe('a bulkhead', () => {
  const bulkhead = { maxConcurrent: 2, maxQueued: 2 };

  it('lets so many calls run and wait, in order, and refuses the next', async () => {
    const { part, policy } = testPolicy({ bulkhead });
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
    const { part, policy } = testPolicy({ bulkhead: { maxConcurrent: 1, maxQueued: 3 } });
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
    const { policy } = testPolicy({
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
