import { describe, expect, it } from '@jest/globals';
import { HourProfile } from './hour-profile.js';

const at = (day: number, hour: number): number => Date.UTC(2026, 0, day, hour, 17);

describe('HourProfile', () => {
  it('finds the hour in which a peak begins', () => {
    const profile = new HourProfile();
    for (const day of [1, 2, 3]) {
      for (let hour = 0; hour < 24; hour += 1) {
        profile.add(at(day, hour), hour >= 9 && hour < 12 ? 100 : 10);
      }
    }
    expect(profile.peakHours()).toEqual([9]);
  });

  it('finds none in even traffic, and none before a second day', () => {
    const even = new HourProfile();
    for (const day of [1, 2]) for (let hour = 0; hour < 24; hour += 1) even.add(at(day, hour));
    expect(even.peakHours()).toEqual([]);
    const young = new HourProfile();
    young.add(at(1, 9), 100);
    expect(young.peakHours()).toEqual([]);
    young.add(at(2, 9), 100);
    expect(young.peakHours()).toEqual([9]);
  });

  it('lets recent days count more', () => {
    const profile = new HourProfile();
    profile.add(at(1, 8), 100);
    profile.add(at(15, 20), 100);
    const shares = profile.shares();
    expect(shares[20]).toBeCloseTo((shares[8] as number) * 4);
  });
});
