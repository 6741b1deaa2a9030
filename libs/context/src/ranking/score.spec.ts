import { describe, expect, it } from '@jest/globals';
import { DEFAULT_WEIGHTS, scoreTerms, totalScore } from './score.js';

const NOW = Date.UTC(2026, 4, 1);
const HOUR_MS = 3_600_000;

function terms(entry: object, relevance = 0, shared = 0) {
  const base = { id: '1', text: 'x', metadata: {}, occurredAt: new Date(NOW - 1e12) };
  return scoreTerms({ ...base, ...entry }, relevance, shared, NOW, DEFAULT_WEIGHTS);
}

describe('the score', () => {
  it('is 1 for what has just happened and falls to 1/e in an hour', () => {
    expect(terms({ occurredAt: new Date(NOW) }).recency).toBe(1);
    expect(terms({ occurredAt: new Date(NOW - HOUR_MS) }).recency).toBeCloseTo(1 / Math.E, 10);
    expect(terms({ occurredAt: new Date(NOW + 5 * HOUR_MS) }).recency).toBe(1);
  });

  it('grows with the logarithm of the accesses of the last hour', () => {
    expect(terms({ recentAccesses: 0 }).frequency).toBe(0);
    expect(terms({ recentAccesses: 9 }).frequency).toBeCloseTo(2 * Math.log(10), 10);
  });

  it('adds 5 when flagged, 2.5 when pinned, and the rating', () => {
    expect(terms({ importance: 5 }).importance).toBe(5);
    expect(terms({ importance: 5, pinned: true }).importance).toBe(7.5);
    expect(terms({ pinned: true, rating: -1.5 }).importance).toBe(1);
    expect(terms({ rating: null }).importance).toBe(0);
  });

  it('weighs text relevance and shared words', () => {
    expect(terms({}, 0.5, 0.5)).toMatchObject({ text: 5, context: 1.5 });
  });

  it('is the sum of its terms', () => {
    const all = terms({ importance: 5, recentAccesses: 3, occurredAt: new Date(NOW) }, 0.2, 0.1);
    expect(totalScore(all)).toBeCloseTo(2 + 1 + 2 * Math.log(4) + 5 + 0.3, 10);
  });
});
