import { describe, expect, it } from '@jest/globals';
import { OverloadDetector } from './overload-detector.js';

/** Twice as many come as are served, for so many windows of 50 ms. */
function overload(detector: OverloadDetector, windows: number, fromMs = 0): number {
  let nowMs = fromMs;
  for (let window = 0; window < windows; window += 1) {
    for (let come = 0; come < 20; come += 1) {
      detector.arrived(true);
      if (come % 2 === 0) detector.served();
    }
    nowMs += 50;
    detector.roll(nowMs, 1, 20);
  }
  return nowMs;
}

describe('an overload', () => {
  it('is told from a burst of one window', () => {
    const detector = new OverloadDetector();
    overload(detector, 1);
    expect(detector.isOverloaded).toBe(false);
    overload(detector, 3, 50);
    expect(detector).toMatchObject({ isOverloaded: true });
    expect(detector.demand).toBeCloseTo(21 / 11, 5);
  });

  it('is over after a rest, and so is what was asked', () => {
    const detector = new OverloadDetector();
    const nowMs = overload(detector, 4) + 3_600_000;
    expect(detector.isWindowOver(nowMs)).toBe(true);
    detector.roll(nowMs, 0, 0);
    expect(detector).toMatchObject({ isOverloaded: false, demand: 0 });
  });
});
