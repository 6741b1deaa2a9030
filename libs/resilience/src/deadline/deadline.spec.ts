import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createContext, runWithContext } from '#libs/logging';
import { deadlineSignal, remainingMs } from './deadline.js';

const within = <Result>(ms: number | undefined, work: () => Result): Result =>
  runWithContext(
    createContext(ms === undefined ? {} : { deadlineMs: performance.now() + ms }),
    work,
  );

describe('the deadline of a request', () => {
  it('is none outside a request, and in one without a bound', () => {
    expect(remainingMs()).toBeUndefined();
    expect(deadlineSignal()).toBeUndefined();
    within(undefined, () => {
      expect(remainingMs()).toBeUndefined();
      expect(deadlineSignal()).toBeUndefined();
    });
  });

  it('tells how long the caller still waits', () => {
    const leftMs = within(10_000, remainingMs);
    expect(leftMs).toBeGreaterThan(9_000);
    expect(leftMs).toBeLessThanOrEqual(10_000);
    expect(within(-5, remainingMs)).toBe(0);
  });

  it('aborts what can be stopped, with the reason', async () => {
    const signal = within(20, () => deadlineSignal('a call'));
    if (signal === undefined) throw new Error('There is a deadline.');
    expect(signal.aborted).toBe(false);
    await once(signal, 'abort');
    expect(signal.reason).toMatchObject({ code: 'DEADLINE_EXCEEDED', work: 'a call' });
  });

  it('is over at once when it has passed', () => {
    within(0, () => {
      const signal = deadlineSignal();
      expect(signal?.aborted).toBe(true);
      expect(signal?.reason).toMatchObject({ code: 'DEADLINE_EXCEEDED', kind: 'timeout' });
    });
  });
});
