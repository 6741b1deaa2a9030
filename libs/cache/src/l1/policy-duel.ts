/** Standard deviations by which a challenger must be ahead. */
const SIGNIFICANCE = 4;
/** Part of the leader's misses that it must save at least, so that a change is worth its cost. */
const MARGIN = 0.01;
/** What remains of older outcomes after each comparison. */
const DECAY = 0.9;
const MIN_ACCESSES_PER_COMPARISON = 512;

/**
 * Compares policies that see the same accesses. Outcomes are counted by the set of policies that
 * hit, so that any two can be compared on the accesses that they disagree on: if both were equally
 * good, each would win half of those (McNemar's test). The leader changes only on a lead that is
 * significant and worth it, which keeps it from changing back and forth.
 */
export class PolicyDuel {
  /** Number of the policy that should rule. */
  leader = 0;
  private readonly outcomes: Float64Array;
  private sinceComparison = 0;
  private accessesPerComparison = MIN_ACCESSES_PER_COMPARISON;

  constructor(private readonly policies: number) {
    this.outcomes = new Float64Array(2 ** policies);
  }

  /** Forgets all outcomes; the leader stays. */
  restart(entries: number): void {
    this.outcomes.fill(0);
    this.sinceComparison = 0;
    this.accessesPerComparison = Math.max(MIN_ACCESSES_PER_COMPARISON, entries);
  }

  /** Counts an access; bit i of the outcome says that policy i hit. The reason if the leader changes. */
  record(outcome: number): string | undefined {
    this.outcomes[outcome] = (this.outcomes[outcome] as number) + 1;
    this.sinceComparison += 1;
    return this.sinceComparison < this.accessesPerComparison ? undefined : this.compare();
  }

  /** Hit ratio of late; not a number before the first access. */
  hitRatio(policy: number): number {
    let hits = 0;
    let all = 0;
    for (const [outcome, count] of this.outcomes.entries()) {
      all += count;
      if (((outcome >>> policy) & 1) === 1) hits += count;
    }
    return hits / all;
  }

  private compare(): string | undefined {
    this.sinceComparison = 0;
    let best = this.leader;
    let bestLead = 0;
    let reason: string | undefined;
    for (let challenger = 0; challenger < this.policies; challenger += 1) {
      const { saved, lost, misses } = this.against(challenger);
      const lead = saved - lost;
      if (lead <= bestLead || lead <= MARGIN * misses) continue;
      if (lead <= SIGNIFICANCE * Math.sqrt(saved + lost)) continue;
      best = challenger;
      bestLead = lead;
      reason = `it would have avoided ${((100 * lead) / misses).toFixed(1)} % of the misses of late`;
    }
    this.leader = best;
    for (let outcome = 0; outcome < this.outcomes.length; outcome += 1) {
      this.outcomes[outcome] = (this.outcomes[outcome] as number) * DECAY;
    }
    return reason;
  }

  /** Misses of the leader that a challenger would have hit, the reverse, and all of the leader's. */
  private against(challenger: number): { saved: number; lost: number; misses: number } {
    let saved = 0;
    let lost = 0;
    let misses = 0;
    for (const [outcome, count] of this.outcomes.entries()) {
      const leaderHit = ((outcome >>> this.leader) & 1) === 1;
      const challengerHit = ((outcome >>> challenger) & 1) === 1;
      if (!leaderHit) misses += count;
      if (challengerHit && !leaderHit) saved += count;
      if (leaderHit && !challengerHit) lost += count;
    }
    return { saved, lost, misses };
  }
}
