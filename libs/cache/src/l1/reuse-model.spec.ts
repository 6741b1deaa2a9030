import { describe, expect, it } from '@jest/globals';
import { ageBin, ageBinStart } from './age-bins.js';
import { ReuseHistory } from './reuse-history.js';
import { ReuseModel } from './reuse-model.js';

const BINS = ageBin(1_000) + 2;

/** A model that has seen so many keys of class 0 used again at each of the ages. */
function modelOf(
  seen: Readonly<Record<number, number>>,
  lost: Readonly<Record<number, number>> = {},
): ReuseModel {
  const model = new ReuseModel(2, BINS, 100);
  for (const [age, keys] of Object.entries(seen)) {
    for (let key = 0; key < keys; key += 1) model.reused(0, Number(age));
  }
  for (const [age, keys] of Object.entries(lost)) {
    for (let key = 0; key < keys; key += 1) model.lost(0, Number(age));
  }
  model.refit(new ReuseHistory(100, 100, model), 0);
  return model;
}

describe('the scale of ages', () => {
  it('has four bins for each doubling and grows with the age', () => {
    expect([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 16, 20, 1_024].map(ageBin)).toEqual([
      0, 1, 2, 3, 4, 5, 7, 8, 8, 9, 12, 13, 36,
    ]);
    for (let age = 1; age < 10_000; age += 1) {
      expect(ageBin(age)).toBeGreaterThanOrEqual(ageBin(age - 1));
    }
  });

  it('tells where a bin starts', () => {
    for (let bin = 0; bin < 100; bin += 1) {
      expect(ageBin(ageBinStart(bin))).toBe(bin);
      if (bin > 0) expect(ageBin(ageBinStart(bin) - 1)).toBe(bin - 1);
    }
  });
});

describe('a model of reuse', () => {
  it('takes the young for worth most before it has learnt anything', () => {
    const model = new ReuseModel(2, BINS, 100);
    expect(model.worth(0, 1)).toBeGreaterThan(model.worth(0, 100));
  });

  it('learns that keys of a circle are worth more the nearer they are to its end', () => {
    const model = modelOf({ 500: 300 });
    expect(model.worth(0, 400)).toBeGreaterThan(model.worth(0, 100));
    expect(model.worth(0, 100)).toBeGreaterThan(model.worth(0, 1));
  });

  it('gives up keys that were not used when such keys are', () => {
    const model = modelOf({ 10: 300 }, { 900: 300 });
    expect(model.worth(0, 5)).toBeGreaterThan(5 * model.worth(0, 50));
  });

  it('counts keys as long as they were seen, not as used up when they were lost', () => {
    const lostEarly = modelOf({ 100: 50 }, { 10: 300 });
    const lostLate = modelOf({ 100: 50 }, { 900: 300 });
    expect(lostEarly.worth(0, 90)).toBeGreaterThan(2 * lostLate.worth(0, 90));
  });

  it('lends a class without observations the average', () => {
    const model = modelOf({ 500: 300 });
    expect(model.worth(1, 400)).toBeCloseTo(model.worth(0, 400), 3);
  });

  it('counts keys that still wait as not used so far', () => {
    const model = new ReuseModel(1, BINS, 100);
    const history = new ReuseHistory(1_000, 1_000, model);
    for (let key = 0; key < 300; key += 1) history.record(key, 0, key);
    for (let key = 0; key < 30; key += 1) history.record(key, 0, 310 + key);
    model.refit(history, 800);
    const waiting = model.worth(0, 300);
    model.refit(new ReuseHistory(10, 10, model), 800);
    expect(waiting).toBeLessThan(model.worth(0, 300) / 2);
  });

  it('takes over what a smaller model has learnt, at ages that are as much larger', () => {
    const small = modelOf({ 50: 300 });
    const large = new ReuseModel(2, BINS + 8, 100);
    large.learnFrom(small, 4);
    expect(large.worth(0, 160)).toBeCloseTo(small.worth(0, 40) / 4, 6);
    expect(large.worth(0, 199)).toBeGreaterThan(large.worth(0, 20));
  });

  it('is due after a while, also across the end of the 32-bit count', () => {
    const model = new ReuseModel(1, BINS, 1_000, 2 ** 32 - 50);
    expect(model.isDue(2 ** 32 - 1)).toBe(false);
    expect(model.isDue(60)).toBe(true);
    model.refit(new ReuseHistory(10, 10, model), 60);
    expect([model.isDue(1_059), model.isDue(1_060)]).toEqual([false, true]);
  });

  it('tells what it has learnt', () => {
    expect(modelOf({ 500: 300 }, { 900: 100 }).describe()).toEqual({
      refits: 1,
      classes: [
        expect.objectContaining({
          class: 0,
          observations: 388,
          mostWorthAtAge: expect.any(Number),
        }),
      ],
    });
  });
});

describe('a history of uses', () => {
  it('reports how long a key waited, and in which class it was', () => {
    const seen: [number, number][] = [];
    const history = new ReuseHistory(10, 10, {
      reused: (keyClass, age) => seen.push([keyClass, age]),
      lost: () => undefined,
    });
    history.record(7, 3, 100);
    history.record(8, 1, 101);
    history.record(7, 4, 130);
    expect(seen).toEqual([[3, 30]]);
  });

  it('reports the key that was used longest ago as lost when its place is needed', () => {
    const lost: [number, number][] = [];
    const history = new ReuseHistory(3, 3, {
      reused: () => undefined,
      lost: (keyClass, age) => lost.push([keyClass, age]),
    });
    for (const [time, key] of [1, 2, 3, 1, 4].entries()) history.record(key, key, 10 * time);
    expect(lost).toEqual([[2, 30]]);
  });

  it('shows the last use of each key', () => {
    const history = new ReuseHistory(3, 3, { reused: () => undefined, lost: () => undefined });
    for (const [time, key] of [1, 2, 1].entries()) history.record(key, key, 10 * time);
    const pending: [number, number][] = [];
    history.forEachPending(50, (keyClass, age) => pending.push([keyClass, age]));
    expect(pending).toEqual([
      [2, 40],
      [1, 30],
    ]);
  });

  it('follows the part of the keys that it has room for', () => {
    const history = new ReuseHistory(1_000, 250, {
      reused: () => undefined,
      lost: () => undefined,
    });
    expect(history.rate).toBe(0.25);
    expect(history.follows(2 ** 30 - 1)).toBe(true);
    expect(history.follows(2 ** 30)).toBe(false);
  });

  it('measures ages across the end of the 32-bit count', () => {
    const ages: number[] = [];
    const history = new ReuseHistory(10, 10, {
      reused: (_, age) => ages.push(age),
      lost: () => undefined,
    });
    history.record(1, 0, 2 ** 32 - 5);
    history.record(1, 0, 5);
    expect(ages).toEqual([10]);
  });
});
