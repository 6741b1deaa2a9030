import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { circuitChanged } from './policy.channels.js';
import type { PolicyOverrides } from './policy.options.js';
import { testPolicy } from './testing/policies.js';

const changes: string[] = [];
let unsubscribe: () => void;
beforeEach(() => {
  changes.length = 0;
  unsubscribe = circuitChanged.subscribe(({ before, state }) => {
    changes.push(`${before} → ${state}`);
  });
});
afterEach(() => unsubscribe());

/** A policy that the code gives nothing but its time-out. */
function bare() {
  const parts = testPolicy({ circuit: false });
  const { store } = parts;
  return {
    ...parts,
    override: (part: PolicyOverrides) =>
      store.overrideAll({ 'resilience.policies': { part: { ...part } } }),
    withdraw: () => store.withdrawOverrides(['resilience.policies']),
  };
}

describe('a part of a policy that the settings take back', () => {
  it('bounds no calls any more, and keeps nobody waiting', async () => {
    const { part, policy, override, withdraw } = bare();
    override({ bulkhead: { maxConcurrent: 1 } });
    const calls = [1, 2, 3].map(() => policy.execute(part.hold));
    await new Promise(setImmediate);
    expect(policy.occupancy).toEqual({ inUse: 1, queued: 2 });
    withdraw();
    await new Promise(setImmediate);
    expect([part.calls, policy.occupancy]).toEqual([3, undefined]);
    calls.push(policy.execute(part.hold));
    for (let call = 0; call < 4; call += 1) part.releaseOne();
    await expect(Promise.all(calls)).resolves.toEqual(Array(4).fill('answer'));
    override({ bulkhead: { maxConcurrent: 1 } });
    expect(policy.occupancy).toEqual({ inUse: 0, queued: 0 });
  });

  it('holds no breaker open', async () => {
    const { policy, policies, ask, override, withdraw } = bare();
    override({ circuit: {} });
    await policies.open('part');
    await expect(ask()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    withdraw();
    await expect(ask()).resolves.toBe('answer');
    expect([policy.state, policy.breaker]).toEqual(['closed', undefined]);
    expect(() => policies.close('part')).toThrow('part');
    expect(changes).toEqual(['closed → isolated', 'isolated → closed']);
  });

  it('opens no breaker for calls that were under way', async () => {
    const { policy, override, withdraw, ask } = bare();
    override({ circuit: { minimumCalls: 1 } });
    let fail = (): void => undefined;
    const late = policy.execute(
      () => new Promise((_, reject) => (fail = () => reject(new Error('ill')))),
    );
    await ask();
    withdraw();
    fail();
    await expect(late).rejects.toThrow('ill');
    expect(changes).toEqual([]);
    override({ circuit: { minimumCalls: 1 } });
    await expect(ask()).resolves.toBe('answer');
  });

  it('repeats no calls and keeps no budget for that', async () => {
    const { part, policy, askOften, override, withdraw } = bare();
    override({ retry: { retries: 1, delayMs: 1 } });
    expect(policy.retriesLeft).toBe(3);
    withdraw();
    expect(policy.retriesLeft).toBeUndefined();
    part.isIll = true;
    await askOften(1);
    expect(part.calls).toBe(1);
  });
});
