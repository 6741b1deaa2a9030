import { describe, expect, it } from '@jest/globals';
import { summarise, type Cell } from './report.js';

function cellOf(misses: Readonly<Record<string, number>>, changes: Partial<Cell> = {}): Cell {
  return {
    trace: 't',
    items: 10,
    requests: 1_000,
    distinct: 100,
    isRecorded: false,
    phases: [''],
    replays: Object.fromEntries(
      Object.entries(misses).map(([policy, count]) => [
        policy,
        { misses: count, phaseMisses: [count] },
      ]),
    ),
    ...changes,
  };
}

describe('the summary of a run', () => {
  it('takes geometric means of the misses relative to LRU, and the worst', () => {
    const summary = summarise(
      [cellOf({ lru: 100, lfu: 50 }), cellOf({ lru: 200, lfu: 400 })],
      ['lru', 'lfu'],
    );
    expect(summary.geometricMeans).toEqual({ lru: 1, lfu: expect.closeTo(1, 10) });
    expect(summary.worst).toEqual({ lru: 1, lfu: 2 });
  });

  it('judges what the policies are there for', () => {
    const cells = [
      cellOf(
        { lru: 100, 's3-fifo': 94, adaptive: 90, learned: 89, 'w-tinylfu': 95 },
        { isRecorded: true },
      ),
      cellOf(
        { lru: 100, 's3-fifo': 106, adaptive: 95, learned: 92, 'w-tinylfu': 96 },
        { phases: ['a', 'b'] },
      ),
    ];
    const policies = ['lru', 's3-fifo', 'w-tinylfu', 'learned', 'adaptive'];
    const verdicts = summarise(cells, policies).verdicts.map(({ statement, isMet }) => [
      statement.slice(0, 30),
      isMet,
    ]);
    expect(verdicts).toEqual([
      ['s3-fifo: misses against LRU, g', false],
      ['s3-fifo: misses against LRU, w', false],
      ['adaptive: misses against LRU, ', false],
      ['adaptive: misses against LRU, ', true],
      ['learned: misses against LRU, w', true],
      ['learned: misses against the be', true],
      ['adaptive: misses against the b', false],
    ]);
  });

  it('judges only the policies that ran', () => {
    expect(summarise([cellOf({ lru: 1 })], ['lru']).verdicts).toEqual([]);
  });
});
