import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { CoarseClock, coarseClockOf } from './coarse-clock.js';

describe('a coarse clock', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('is later than everything until it is woken', () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock, 10);
    expect(coarse.nowMs).toBeGreaterThan(clock.nowMs() + 1e12);
    expect(coarse.wake()).toBe(clock.nowMs());
    expect(coarse.nowMs).toBe(clock.nowMs());
  });

  it('is at most its resolution behind', () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock, 10);
    coarse.wake();
    for (let passed = 0; passed < 300; passed += 1) {
      clock.advance(1);
      jest.advanceTimersByTime(1);
      expect(clock.nowMs() - coarse.nowMs).toBeLessThan(10);
    }
  });

  it('is exact after a refresh in code that does not return', () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock, 10);
    coarse.wake();
    clock.advance(500);
    coarse.refresh();
    expect(coarse.nowMs).toBe(clock.nowMs());
  });

  it('has no timer while nobody looks', () => {
    const coarse = new CoarseClock(new ManualClock(), 10);
    coarse.refresh();
    expect(jest.getTimerCount()).toBe(0);
    coarse.wake();
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(1_000);
    expect(jest.getTimerCount()).toBe(0);
    expect(coarse.nowMs).toBe(Number.MAX_VALUE);
  });

  it('has no timer at all with a resolution of 0', () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock, 0);
    expect(coarse.wake()).toBe(clock.nowMs());
    expect(coarse.nowMs).toBe(Number.MAX_VALUE);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is shared by all who take the same clock and resolution', () => {
    const clock = new ManualClock();
    expect(coarseClockOf(clock, 10)).toBe(coarseClockOf(clock, 10));
    expect(coarseClockOf(clock, 10)).not.toBe(coarseClockOf(clock, 20));
    expect(coarseClockOf(clock, 10)).not.toBe(coarseClockOf(new ManualClock(), 10));
  });
});
