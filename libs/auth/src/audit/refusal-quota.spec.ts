import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { RefusalQuota } from './refusal-quota.js';

describe('RefusalQuota', () => {
  it('lets so many through in a minute, and counts the rest once', () => {
    const clock = new ManualClock();
    const quota = new RefusalQuota(() => 3, clock);
    const taken = Array.from({ length: 10 }, () => quota.take());
    expect(taken.filter(Boolean)).toHaveLength(3);
    expect(quota.drain()).toBe(7);
    expect(quota.drain()).toBe(0);
    clock.advance(59_999);
    expect(quota.take()).toBe(false);
    clock.advance(1);
    expect(quota.take()).toBe(true);
  });
});
