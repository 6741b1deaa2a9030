import { describe, expect, it } from '@jest/globals';
import { GradientLimit, type GradientOptions } from './gradient-limit.js';
import { RouteLatency } from './route-latency.js';

const options: GradientOptions = {
  minLimit: 10,
  initialLimit: 64,
  maxLimit: 500,
  latencyTolerance: 1.1,
  loopDelayTargetMs: 50,
};

/** Rounds in which as many as may be are at work, over something that serves `slots` at once. */
function saturate(
  gradient: GradientLimit,
  route: RouteLatency,
  slots: number,
  rounds: number,
  loopDelayMs = 0,
  baseMs = 20,
): void {
  for (let round = 0; round < rounds; round += 1) {
    const { limit } = gradient;
    gradient.began(limit);
    const ms = baseMs * Math.max(1, limit / slots);
    for (let request = 0; request < 20; request += 1) gradient.ended(route, ms);
    gradient.update(loopDelayMs, true, limit);
  }
}

function idle(gradient: GradientLimit, route: RouteLatency, ms: number, rounds: number): void {
  for (let round = 0; round < rounds; round += 1) {
    gradient.began(2);
    for (let request = 0; request < 20; request += 1) gradient.ended(route, ms);
    gradient.update(0, false, 0);
  }
}

describe('the adaptive limit', () => {
  it.each([12, 20, 50, 200])('settles a little above what %d slots need', (slots) => {
    const gradient = new GradientLimit(options);
    const route = new RouteLatency();
    idle(gradient, route, 20, 50);
    saturate(gradient, route, slots, 500);
    expect(gradient.limit).toBeGreaterThanOrEqual(slots);
    expect(gradient.limit).toBeLessThanOrEqual(slots * 1.15 + 4);
  });

  it('does not take a long overload for what is usual', () => {
    const gradient = new GradientLimit(options);
    const route = new RouteLatency();
    idle(gradient, route, 20, 50);
    saturate(gradient, route, 20, 20_000);
    expect(route.usualMs).toBeLessThan(21);
    expect(gradient.limit).toBeLessThan(30);
  });

  it('finds out what is usual in the midst of an overload', () => {
    const gradient = new GradientLimit(options);
    const route = new RouteLatency();
    idle(gradient, route, 60, 50);
    saturate(gradient, route, 20, 1_000);
    expect(route.usualMs).toBeLessThan(22);
    expect(gradient.limit).toBeLessThanOrEqual(30);
  });

  it('recovers when there is more room', () => {
    const gradient = new GradientLimit(options);
    const route = new RouteLatency();
    idle(gradient, route, 20, 50);
    saturate(gradient, route, 12, 500);
    saturate(gradient, route, 100, 500);
    expect(gradient.limit).toBeGreaterThanOrEqual(100);
  });

  it('learns that a route has become slower for good, from the lowest limit', () => {
    const gradient = new GradientLimit(options);
    const route = new RouteLatency();
    idle(gradient, route, 20, 50);
    saturate(gradient, route, 50, 1_500, 0, 60);
    expect(route.usualMs).toBeGreaterThan(50);
    expect(gradient.limit).toBeGreaterThanOrEqual(40);
  });

  it('grows while nothing gets slower, up to its bound, and shrinks with a late event loop', () => {
    const gradient = new GradientLimit(options);
    const route = new RouteLatency();
    saturate(gradient, route, 10_000, 2_000);
    expect(gradient.limit).toBe(500);
    saturate(gradient, route, 10_000, 200, 100);
    expect(gradient.limit).toBeLessThan(20);
  });

  it('learns nothing of more from few requests', () => {
    const gradient = new GradientLimit(options);
    const route = new RouteLatency();
    idle(gradient, route, 20, 100);
    idle(gradient, route, 200, 100);
    expect(gradient.limit).toBe(64);
  });

  it('is not moved by what is asked: each route is compared with itself', () => {
    const gradient = new GradientLimit(options);
    const [quick, slow] = [new RouteLatency(), new RouteLatency()];
    idle(gradient, quick, 1, 200);
    idle(gradient, slow, 100, 200);
    for (let round = 0; round < 100; round += 1) {
      const isSlow = round % 2 === 0;
      gradient.began(64);
      for (let request = 0; request < 20; request += 1) {
        gradient.ended(isSlow ? slow : quick, isSlow ? 100 : 1);
      }
      gradient.update(0, false, 0);
    }
    expect(gradient.limit).toBeGreaterThan(64);
  });

  it('takes other bounds over at once', () => {
    const gradient = new GradientLimit(options);
    gradient.configure({ ...options, maxLimit: 20 });
    expect(gradient.limit).toBe(20);
    gradient.configure({ ...options, minLimit: 200 });
    expect(gradient.limit).toBe(200);
    gradient.configure({ ...options, initialLimit: 100 });
    expect(gradient.limit).toBe(100);
  });
});
