import { describe, expect, it } from '@jest/globals';
import { SearchQuery } from './search-query.js';
import { textCondition } from './text-condition.js';
import { quoted } from './tokenizer.js';
import type { TermStatistics } from './term-statistics.js';

const ENTRIES = 100_000;
const SHARES: Readonly<Record<string, number>> = {
  the: 0.5,
  run: 0.1,
  test: 0.02,
  '^the': 0.1,
  '^run': 0.01,
  '^test': 0.001,
  '^slow': 0.04,
  slow: 0.2,
};
const statistics: TermStatistics = {
  entries: ENTRIES,
  shareOf: (term) => SHARES[term] ?? 0.0001,
};

function condition(texts: readonly string[], matches = 200): string | undefined {
  const query = new SearchQuery(
    texts.map((text) => ({ text, weight: 1 })),
    statistics,
  );
  return textCondition(query.seeds, statistics, { entries: ENTRIES, matches });
}

describe('the condition of a search', () => {
  it('is none without words', () => {
    expect(condition([])).toBeUndefined();
    expect(condition(['?!'])).toBeUndefined();
  });

  it('takes rare words by themselves, and leaves out common ones', () => {
    expect(condition(['the zebra the quagga'])?.split(' | ').sort()).toEqual([
      `'quagga'`,
      `'zebra'`,
    ]);
  });

  it('takes commoner words where they begin an entry, or together', () => {
    expect(condition(['test'])).toBe(`'^test'`);
    expect(condition(['test'], 50)).toBe(`'test'`);
    expect(condition(['run the test'], 50)).toBe(`('test' & 'run' & 'the')`);
  });

  it('takes words that are everywhere only where they begin an entry together', () => {
    expect(condition(['the slow run'])).toBe(`('^run' & '^slow' & '^the')`);
  });

  it('takes only telling words from the echo of an entry', () => {
    const echo = { text: 'the zebra test', weight: 1, isEcho: true };
    const query = new SearchQuery([echo], statistics);
    const budget = { entries: ENTRIES, matches: 50 };
    expect(textCondition(query.seeds, statistics, budget)).toBe(`'zebra'`);
  });

  it('has a bounded number of parts, however much is asked', () => {
    const texts = Array.from({ length: 20 }, (_, text) =>
      Array.from({ length: 400 }, (_, word) => `w${text}x${word}`).join(' '),
    );
    expect(condition(texts)?.split(' | ').length).toBeLessThanOrEqual(20 * 8);
  });
});

describe('quoted words', () => {
  it('hide what tsquery would read as its own', () => {
    expect(quoted(`it's \\ & | ! ( )`)).toBe(`'it''s \\\\ & | ! ( )'`);
  });
});
