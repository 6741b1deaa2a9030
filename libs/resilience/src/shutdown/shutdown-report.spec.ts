import { describe, expect, it } from '@jest/globals';
import { endedInOrder, type ShutdownReport, toLogFields, toSentence } from './shutdown-report.js';

const report: ShutdownReport = {
  cause: 'SIGTERM',
  totalMs: 1034,
  phases: [
    { name: 'work', ms: 3, outcome: 'done' },
    { name: 'requests', ms: 1002, outcome: 'overran' },
    { name: 'flush', ms: 29, outcome: 'failed', error: new Error('no database') },
  ],
  figures: new Map<string, Readonly<Record<string, number>>>([
    ['jobs', { finished: 1 }],
    ['requests', { inFlight: 2, cut: 1 }],
  ]),
};

describe('the report of a shutdown', () => {
  it('is a sentence for people', () => {
    expect(toSentence(report)).toBe(
      'Ended after SIGTERM in 1034 ms (work 3 ms, requests 1002 ms (overran), flush 29 ms (failed)). ' +
        'jobs: 1 finished; requests: 2 inFlight, 1 cut',
    );
  });

  it('is fields for the log', () => {
    expect(toLogFields(report)).toEqual({
      cause: 'SIGTERM',
      totalMs: 1034,
      jobs: { finished: 1 },
      requests: { inFlight: 2, cut: 1 },
      phasesMs: { work: 3, requests: 1002, flush: 29 },
      overran: ['requests'],
      failed: ['flush'],
      err: expect.objectContaining({ message: 'no database' }),
    });
  });

  it('is in order when every phase is done', () => {
    expect(endedInOrder(report)).toBe(false);
    expect(endedInOrder({ ...report, phases: report.phases.slice(0, 1) })).toBe(true);
  });
});
