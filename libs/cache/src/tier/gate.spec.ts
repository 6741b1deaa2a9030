import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ManualClock } from '#libs/core';
import type { TierCall } from './cache-tier.js';
import { Gate } from './gate.js';

describe('Gate', () => {
  let gate: Gate;

  beforeEach(() => {
    jest.useFakeTimers();
    gate = new Gate('part', { clock: new ManualClock(), timeoutMs: 200 });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A part that answers when it is told to. */
  function slow(): {
    run: (call: TierCall) => Promise<string>;
    answer: () => void;
    call(): TierCall;
  } {
    let seen: TierCall | undefined;
    let answer: () => void = () => undefined;
    return {
      run: (call) => {
        seen = call;
        return new Promise((resolve) => {
          answer = () => resolve('late');
        });
      },
      answer: () => answer(),
      call: () => seen as TierCall,
    };
  }

  it('gives up each of several calls at its own time, and tells it', async () => {
    const [first, second] = [slow(), slow()];
    const one = gate.call('read', first.run);
    const { signal } = first.call();
    await jest.advanceTimersByTimeAsync(150);
    const two = gate.call('read', second.run);
    expect(signal?.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(51);
    expect(await one).toEqual({ ok: false, isTried: true });
    expect(signal?.aborted).toBe(true);
    let isOver = false;
    const waiting = two.then(() => {
      isOver = true;
      return undefined;
    });
    await jest.advanceTimersByTimeAsync(140);
    expect(isOver).toBe(false);
    await jest.advanceTimersByTimeAsync(12);
    await waiting;
    expect(await two).toEqual({ ok: false, isTried: true });
  });

  it('counts an answer after the time-out neither as success nor as a second failure', async () => {
    const part = slow();
    const reply = gate.call('read', part.run);
    await jest.advanceTimersByTimeAsync(201);
    part.answer();
    expect(await reply).toEqual({ ok: false, isTried: true });
    for (let failures = 1; failures < 5; failures += 1) {
      expect(gate.breaker.state).toBe('closed');
      await gate.call('read', () => Promise.reject(new Error('away')));
    }
    expect(gate.breaker.state).toBe('open');
    expect(await gate.call('read', () => Promise.resolve(1))).toEqual({
      ok: false,
      isTried: false,
    });
  });

  it('keeps to a time-out that was changed while another call is waited for', async () => {
    void gate.call('read', slow().run);
    gate.timeoutMs = 20;
    const short = gate.call('read', slow().run);
    await jest.advanceTimersByTimeAsync(21);
    expect(await short).toEqual({ ok: false, isTried: true });
  });

  it('turns what is thrown at once into a reply too', async () => {
    const reply = await gate.call('read', () => {
      throw new Error('at once');
    });
    expect(reply).toEqual({ ok: false, isTried: true });
  });

  it('has one timer, however many calls, and none that outlives the last for long', async () => {
    for (let calls = 0; calls < 100; calls += 1) await gate.call('read', () => Promise.resolve(1));
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(201);
    expect(jest.getTimerCount()).toBe(0);
  });
});
