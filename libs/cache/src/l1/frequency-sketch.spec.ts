import { describe, expect, it } from '@jest/globals';
import { FrequencySketch } from './frequency-sketch.js';
import { hashKey } from './key-hash.js';

const hash = (key: number): number => hashKey(`key:${key}`, 1);

describe('a frequency sketch', () => {
  it('never estimates less than the uses, up to 15', () => {
    const sketch = new FrequencySketch(1_000);
    for (let key = 0; key < 400; key += 1) {
      for (let use = 0; use < key % 20; use += 1) sketch.add(hash(key));
    }
    for (let key = 0; key < 400; key += 1) {
      expect(sketch.estimate(hash(key))).toBeGreaterThanOrEqual(Math.min(15, key % 20));
    }
  });

  it('is right for nine keys in ten when as many are counted as it is made for', () => {
    const sketch = new FrequencySketch(1_000);
    for (let key = 0; key < 1_000; key += 1) {
      for (let use = 0; use < key % 8; use += 1) sketch.add(hash(key));
    }
    let right = 0;
    for (let key = 0; key < 1_000; key += 1) {
      if (sketch.estimate(hash(key)) === key % 8) right += 1;
    }
    expect(right).toBeGreaterThan(900);
  });

  it('halves all counts when enough was counted, so that the past fades', () => {
    const sketch = new FrequencySketch(100, { sampleFactor: 10, width: 64 });
    for (let use = 0; use < 8; use += 1) sketch.add(hash(-1));
    for (let key = 0; key < 991; key += 1) sketch.add(hash(key));
    expect(sketch.estimate(hash(-1))).toBe(8);
    sketch.add(hash(991));
    expect(sketch.estimate(hash(-1))).toBe(4);
  });

  it('starts from nothing when it grows, and when it is cleared', () => {
    const sketch = new FrequencySketch(100);
    sketch.add(hash(1));
    sketch.resize(50);
    expect(sketch.estimate(hash(1))).toBe(1);
    sketch.resize(10_000);
    expect(sketch.estimate(hash(1))).toBe(0);
    sketch.add(hash(2));
    sketch.clear();
    expect(sketch.estimate(hash(2))).toBe(0);
  });
});
