import { describe, expect, it } from '@jest/globals';
import { domainTrace } from './domain.js';
import { TraceRandom, Zipf } from './random.js';
import { loopTrace, phasesTrace, shiftTrace, zipfTrace } from './synthetic.js';
import type { Trace } from './trace.js';

/** Part of the accesses that go to the most popular hundredth of the keys. */
function shareOfTop(trace: Trace): number {
  const counts = new Uint32Array(trace.distinct);
  for (const key of trace.keys) counts[key] = (counts[key] as number) + 1;
  counts.sort().reverse();
  const top = counts.subarray(0, Math.ceil(trace.distinct / 100));
  return top.reduce((sum, count) => sum + count, 0) / trace.keys.length;
}

describe('synthetic traces', () => {
  it('are the same each time', () => {
    expect(
      Buffer.from(domainTrace().keys.buffer).equals(Buffer.from(domainTrace().keys.buffer)),
    ).toBe(true);
  });

  it('are the more skewed the larger the exponent', () => {
    const shares = [0.7, 0.9, 1.1].map((exponent) => shareOfTop(zipfTrace(exponent)));
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares[0]).toBeGreaterThan(0.1);
    expect(shares[2]).toBeGreaterThan(0.6);
  });

  it('go in a circle, or change what they are', () => {
    expect(loopTrace().distinct).toBe(10_000);
    expect(loopTrace().keys[10_000]).toBe(0);
    for (const trace of [shiftTrace(), phasesTrace()]) {
      expect(trace.phases.length).toBeGreaterThan(3);
      expect(trace.phases.map(({ start }) => start)).toEqual(
        trace.phases.map(({ start }) => start).sort((a, b) => a - b),
      );
    }
  });

  it('draw ranks with the frequencies of the distribution', () => {
    const zipf = new Zipf(new TraceRandom(1), 4, 1);
    const counts = [0, 0, 0, 0];
    for (let draw = 0; draw < 25_000; draw += 1) {
      const rank = zipf.draw();
      counts[rank] = (counts[rank] ?? 0) + 1;
    }
    // 12 : 6 : 4 : 3 of 25.
    for (const [rank, part] of [12, 6, 4, 3].entries()) {
      expect(Math.abs((counts[rank] ?? 0) - part * 1_000)).toBeLessThan(300);
    }
  });
});
