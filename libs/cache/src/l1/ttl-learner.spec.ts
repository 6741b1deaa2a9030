import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { RandomSource } from './random-source.js';
import { TtlLearner, type TtlLearnerOptions } from './ttl-learner.js';

const random = new RandomSource(23);

/** Time to the next of events that come at random, `periodMs` apart on average. */
function waitFor(periodMs: number): number {
  return -Math.log((1 + random.below(1e9)) / (1e9 + 1)) * periodMs;
}

interface Key {
  readonly name: string;
  readonly changePeriodMs: number;
  readonly readPeriodMs: number;
}

/** Reads keys that change for so long; the ratio of stale reads and the loads a key. */
function live(
  keys: readonly Key[],
  hours: number,
  options: TtlLearnerOptions = {},
): { staleRatio: number; loads: Map<string, number>; learner: TtlLearner } {
  const clock = new ManualClock(0);
  const learner = new TtlLearner({ ...options, clock });
  const states = keys.map((key) => ({
    key,
    version: 0,
    cached: -1,
    expiresMs: 0,
    changesMs: waitFor(key.changePeriodMs),
    readsMs: waitFor(key.readPeriodMs),
  }));
  const loads = new Map<string, number>();
  let reads = 0;
  let staleReads = 0;
  const endMs = hours * 3_600_000;
  for (;;) {
    const next = states.reduce((first, state) => (state.readsMs < first.readsMs ? state : first));
    if (next.readsMs > endMs) break;
    clock.advance(next.readsMs - clock.nowMs());
    while (next.changesMs <= next.readsMs) {
      next.version += 1;
      next.changesMs += waitFor(next.key.changePeriodMs);
    }
    reads += 1;
    if (next.expiresMs > next.readsMs) {
      if (next.cached !== next.version) staleReads += 1;
    } else {
      const { name } = next.key;
      loads.set(name, (loads.get(name) ?? 0) + 1);
      next.cached = next.version;
      next.expiresMs = next.readsMs + learner.loaded(name, next.version).ttlMs;
    }
    next.readsMs += waitFor(next.key.readPeriodMs);
  }
  return { staleRatio: staleReads / reads, loads, learner };
}

const minute = 60_000;

describe('a learner of lives', () => {
  it('keeps the part of stale reads near its bound', () => {
    const keys = Array.from({ length: 20 }, (_, index) => ({
      name: `key:${index}`,
      changePeriodMs: minute * (1 + index),
      readPeriodMs: 2_000 * (1 + (index % 5)),
    }));
    for (const maxStaleRatio of [0.02, 0.1]) {
      const { staleRatio } = live(keys, 4, { maxStaleRatio, minTtlMs: 100 });
      expect(staleRatio / maxStaleRatio).toBeGreaterThan(0.7);
      expect(staleRatio / maxStaleRatio).toBeLessThan(1.2);
    }
  });

  it('gives what changes often, and what is read often, shorter lives', () => {
    const { learner } = live(
      [
        { name: 'steady', changePeriodMs: 60 * minute, readPeriodMs: 5_000 },
        { name: 'restless', changePeriodMs: minute, readPeriodMs: 5_000 },
        { name: 'popular', changePeriodMs: minute, readPeriodMs: 500 },
      ],
      6,
      { maxStaleRatio: 0.05, minTtlMs: 100 },
    );
    const ttlOf = (key: string): number => learner.describe(key)?.['ttlMs'] ?? Number.NaN;
    expect(ttlOf('steady')).toBeGreaterThan(2 * ttlOf('restless'));
    expect(ttlOf('restless')).toBeGreaterThan(1.5 * ttlOf('popular'));
  });

  it('learns both periods from loads alone', () => {
    const { learner } = live(
      [{ name: 'a', changePeriodMs: 5 * minute, readPeriodMs: 20_000 }],
      24,
      { maxStaleRatio: 0.05 },
    );
    const { changePeriodMs, readPeriodMs } = learner.describe('a') as Record<string, number>;
    expect((changePeriodMs as number) / (5 * minute)).toBeGreaterThan(0.6);
    expect((changePeriodMs as number) / (5 * minute)).toBeLessThan(1.6);
    expect((readPeriodMs as number) / 20_000).toBeGreaterThan(0.7);
    expect((readPeriodMs as number) / 20_000).toBeLessThan(1.4);
  });

  it('stays within the shortest and the longest life', () => {
    const clock = new ManualClock(0);
    const learner = new TtlLearner({ clock, minTtlMs: 2_000, maxTtlMs: 5_000 });
    for (let load = 0; load < 300; load += 1) {
      learner.loaded('changes', load);
      clock.advance(6_000);
    }
    expect(learner.loaded('changes', -1).ttlMs).toBe(2_000);
    const other = new TtlLearner({ clock, minTtlMs: 2_000, maxTtlMs: 5_000 });
    for (let load = 0; load < 300; load += 1) {
      other.loaded('stays', 1);
      clock.advance(6_000);
    }
    expect(other.loaded('stays', 1).ttlMs).toBe(5_000);
  });

  it('advises to refresh ahead only what will be read again', () => {
    const keys = [
      { name: 'busy', changePeriodMs: 30 * minute, readPeriodMs: 200 },
      { name: 'idle', changePeriodMs: 30 * minute, readPeriodMs: 20 * minute },
    ];
    const { learner } = live(keys, 6, { maxStaleRatio: 0.05 });
    expect(learner.loaded('busy', -1).refreshAhead).toBe(true);
    expect(learner.loaded('idle', -1).refreshAhead).toBe(false);
  });

  it('forgets the keys that matter least when there are too many', () => {
    const learner = new TtlLearner({ clock: new ManualClock(0), maxKeys: 100 });
    for (let key = 0; key < 1_000; key += 1) learner.loaded(`key:${key}`, 1);
    const known = Array.from({ length: 1_000 }, (_, key) => learner.describe(`key:${key}`));
    expect(known.filter((description) => description !== undefined)).toHaveLength(100);
  });
});
