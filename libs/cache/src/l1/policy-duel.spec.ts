import { describe, expect, it } from '@jest/globals';
import { PolicyDuel } from './policy-duel.js';

const NONE = 0b00;
const FIRST = 0b01;
const SECOND = 0b10;

/** Records outcomes in turn, `rounds` times; the verdicts that were given. */
function play(duel: PolicyDuel, outcomes: readonly number[], rounds: number): string[] {
  const verdicts: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const outcome of outcomes) {
      const verdict = duel.record(outcome);
      if (verdict !== undefined) verdicts.push(verdict);
    }
  }
  return verdicts;
}

describe('a duel of policies', () => {
  it('changes the leader when another misses significantly less, and says by how much', () => {
    const duel = new PolicyDuel(2);
    expect(play(duel, [SECOND, NONE, NONE, NONE], 1_000)).toEqual([
      'it would have avoided 25.0 % of the misses of late',
    ]);
    expect(duel.leader).toBe(1);
  });

  it('keeps the leader when both win as often', () => {
    const duel = new PolicyDuel(2);
    expect(play(duel, [FIRST, SECOND, NONE], 10_000)).toEqual([]);
  });

  it('keeps the leader when the difference is sure but not worth a change', () => {
    const duel = new PolicyDuel(2);
    expect(play(duel, [SECOND, ...Array.from({ length: 199 }, () => NONE)], 500)).toEqual([]);
  });

  it('does not swing between two policies that are nearly equal', () => {
    const duel = new PolicyDuel(2);
    const slightlyBetter = [...Array.from({ length: 10 }, () => [FIRST, SECOND]).flat(), SECOND];
    const slightlyWorse = [...Array.from({ length: 10 }, () => [FIRST, SECOND]).flat(), FIRST];
    const verdicts = Array.from({ length: 20 }, (_, phase) =>
      play(duel, phase % 2 === 0 ? slightlyBetter : slightlyWorse, 50),
    );
    expect(verdicts.flat().length).toBeLessThanOrEqual(1);
  });

  it('changes back when the workload does', () => {
    const duel = new PolicyDuel(2);
    play(duel, [SECOND, NONE], 5_000);
    expect(duel.leader).toBe(1);
    play(duel, [FIRST, NONE], 20_000);
    expect(duel.leader).toBe(0);
  });

  it('knows the hit ratios, and forgets them when it is restarted', () => {
    const duel = new PolicyDuel(2);
    play(duel, [SECOND, SECOND, FIRST, NONE], 50);
    expect([duel.hitRatio(0), duel.hitRatio(1)]).toEqual([0.25, 0.5]);
    duel.restart(100);
    expect(duel.hitRatio(0)).toBeNaN();
  });
});
