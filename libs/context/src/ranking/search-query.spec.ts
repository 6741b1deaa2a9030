import { describe, expect, it } from '@jest/globals';
import { indexText, wordCount } from './features.js';
import { SearchQuery } from './search-query.js';
import { NO_STATISTICS, type TermStatistics } from './term-statistics.js';

function relevance(question: string, text: string, statistics: TermStatistics = NO_STATISTICS) {
  const query = new SearchQuery([{ text: question, weight: 1 }], statistics);
  return query.compare(indexText(text)).relevance;
}

describe('text relevance', () => {
  it('is 0 without a common word and at most 1', () => {
    expect(relevance('apples', 'pears')).toBe(0);
    expect(relevance('', 'pears')).toBe(0);
    expect(relevance('apples', '')).toBe(0);
    expect(relevance('apples', 'apples '.repeat(500))).toBeGreaterThan(0.6);
    expect(relevance('apples', 'apples '.repeat(500))).toBeLessThanOrEqual(1);
  });

  it('prefers words in the first line', () => {
    const heading = relevance('set up', '# Set up\nRun the command and wait for it.');
    const body = relevance('set up', '# Command\nRun the set up and wait for it.');
    expect(heading).toBeGreaterThan(body);
  });

  it('prefers words in the order asked for', () => {
    const same = relevance('custom parser options', 'Custom parser options');
    const other = relevance('custom parser options', 'Parser options custom');
    expect(same).toBeGreaterThan(other);
  });

  it('prefers a short text to a long one that says the same once', () => {
    const long = `Apples\n${'and many other words besides '.repeat(100)}`;
    expect(relevance('apples', 'Apples')).toBeGreaterThan(relevance('apples', long));
  });

  it('counts rare words for more than common ones', () => {
    const statistics: TermStatistics = {
      entries: 1000,
      shareOf: (term) => (term === 'the' ? 0.9 : 0.001),
    };
    const rare = relevance('the zebra', 'zebra crossing', statistics);
    const common = relevance('the zebra', 'the crossing', statistics);
    expect(rare).toBeGreaterThan(5 * common);
  });

  it('is the best over the texts, by their weights', () => {
    const query = new SearchQuery(
      [
        { text: 'apples', weight: 1 },
        { text: 'pears', weight: 0.5 },
      ],
      NO_STATISTICS,
    );
    const apple = query.compare(indexText('apples')).relevance;
    const pear = query.compare(indexText('pears')).relevance;
    expect(pear).toBeCloseTo(apple / 2, 10);
  });

  it('does not let the echo of an entry speak for the entry itself', () => {
    const query = new SearchQuery([{ text: 'apples', weight: 1, isEcho: true }], NO_STATISTICS);
    expect(query.compare({ ...indexText('apples'), text: 'apples' }).relevance).toBe(0);
    expect(
      query.compare({ ...indexText('apples pie'), text: 'apples pie' }).relevance,
    ).toBeGreaterThan(0);
  });

  it('mixes in what an embedding service says', () => {
    const meaning = { vectors: [Uint8Array.of(127, 0)], weight: 0.5 };
    const query = new SearchQuery([{ text: 'apples', weight: 1 }], NO_STATISTICS, meaning);
    const features = indexText('pears').features;
    expect(query.compare({ features, dense: Uint8Array.of(127, 0) }).relevance).toBeCloseTo(0.5);
    expect(query.compare({ features, dense: Uint8Array.of(0, 127) }).relevance).toBe(0);
    expect(query.compare({ features, dense: null }).relevance).toBe(0);
  });
});

describe('shared words', () => {
  it('are the Jaccard index of both sets of words', () => {
    const query = new SearchQuery(
      [
        { text: 'apples pears', weight: 1 },
        { text: 'pears plums', weight: 1 },
      ],
      NO_STATISTICS,
    );
    expect(query.compare(indexText('pears plums grapes')).sharedWords).toBeCloseTo(2 / 4, 10);
    expect(query.compare(indexText('pears pears')).sharedWords).toBeCloseTo(1 / 3, 10);
    expect(query.compare(indexText('other')).sharedWords).toBe(0);
  });

  it('are 0 when there are no words at all', () => {
    expect(new SearchQuery([], NO_STATISTICS).compare(indexText('')).sharedWords).toBe(0);
  });
});

describe('packed features', () => {
  it('keep the weight of every distinct word up to a bound', () => {
    expect(wordCount(indexText('one two two three').features)).toBe(3);
    const many = Array.from({ length: 5000 }, (_, index) => `w${index}`).join(' ');
    expect(wordCount(indexText(many).features)).toBe(1024);
  });

  it('are ignored when another version wrote them', () => {
    const { features } = indexText('apples');
    const query = new SearchQuery([{ text: 'apples', weight: 1 }], NO_STATISTICS);
    const foreign = Uint8Array.from(features);
    foreign[0] = 99;
    expect(query.compare({ features: foreign })).toEqual({ relevance: 0, sharedWords: 0 });
    expect(query.compare({ features: new Uint8Array(0) }).relevance).toBe(0);
  });
});
