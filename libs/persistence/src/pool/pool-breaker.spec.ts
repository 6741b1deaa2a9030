import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { poolEvents } from './pool.events.js';
import { PoolBreaker } from './pool-breaker.js';

let clock: ManualClock;
let breaker: PoolBreaker;
let events: string[];
let unsubscribe: () => void;

beforeEach(() => {
  clock = new ManualClock();
  breaker = new PoolBreaker({ clock, timeouts: 3, openMs: 1_000 });
  events = [];
  unsubscribe = poolEvents.subscribe(({ type }) => events.push(type));
});
afterEach(() => unsubscribe());

/** So many callers wait for five seconds, and get nothing. */
function waitInVain(callers: number): void {
  const sinceMs = clock.monotonicMs();
  clock.advance(5_000);
  for (let caller = 0; caller < callers; caller += 1) breaker.waitedInVain(sinceMs);
}

describe('the breaker of a pool', () => {
  it('turns callers away when some in a row got nothing, and lets one wait from time to time', () => {
    waitInVain(2);
    expect(breaker.admits()).toBe(true);
    waitInVain(1);
    expect(breaker.admits()).toBe(false);
    clock.advance(1_000);
    expect([breaker.admits(), breaker.admits()]).toEqual([true, false]);
    waitInVain(1);
    expect(breaker.admits()).toBe(false);
    clock.advance(1_000);
    expect(breaker.admits()).toBe(true);
    breaker.signOfLife();
    expect([breaker.admits(), breaker.state]).toEqual([true, 'closed']);
    expect(events).toEqual(['does-not-answer', 'answers-again']);
  });

  it('stays closed while others have their turn', () => {
    for (let round = 0; round < 5; round += 1) {
      const sinceMs = clock.monotonicMs();
      clock.advance(2_500);
      breaker.signOfLife();
      clock.advance(2_500);
      for (let caller = 0; caller < 10; caller += 1) breaker.waitedInVain(sinceMs);
    }
    expect(breaker.state).toBe('closed');
    expect(events).toEqual([]);
  });

  it('closes as soon as a connection comes back', () => {
    waitInVain(3);
    expect(breaker.state).toBe('open');
    breaker.signOfLife();
    expect(breaker.admits()).toBe(true);
  });

  it('lets the next one find out after an error, which comes at once', () => {
    waitInVain(3);
    clock.advance(1_000);
    expect(breaker.admits()).toBe(true);
    breaker.failed();
    expect(breaker.admits()).toBe(true);
  });
});
