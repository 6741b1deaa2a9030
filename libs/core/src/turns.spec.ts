import { describe, expect, it } from '@jest/globals';
import { Turns } from './turns.js';

describe('Turns', () => {
  it('lets others have their turn in a long computation, once in a while', async () => {
    const other = { hasRun: false };
    setImmediate(() => (other.hasRun = true));
    const turns = new Turns(20);
    const endsAtMs = performance.now() + 5_000;
    let pieces = 0;
    while (!other.hasRun && performance.now() < endsAtMs) {
      pieces += 1;
      if (turns.isOver) await turns.giveWay();
    }
    expect(other.hasRun).toBe(true);
    expect(pieces).toBeGreaterThan(1);
  });
});
