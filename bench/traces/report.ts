import { printTable } from '../support/print-table.js';
import type { Replay } from './replay.js';

/** The policy that a store has when none is chosen. */
const DEFAULT_POLICY = 's3-fifo';
const MAX_GEOMETRIC_MEAN = 0.92;
const MAX_RELATIVE = 1.03;
const MAX_BEHIND_BEST = 1.02;
const MAX_LEARNED_RELATIVE = 1.01;

/** The misses of all policies on one trace at one cache size. */
export interface Cell {
  readonly trace: string;
  readonly items: number;
  readonly requests: number;
  readonly distinct: number;
  readonly isRecorded: boolean;
  readonly phases: readonly string[];
  readonly replays: Readonly<Record<string, Replay>>;
}

/** A statement that the benchmark was made to check. */
export interface Verdict {
  readonly statement: string;
  readonly value: number;
  readonly limit: number;
  readonly isMet: boolean;
}

export interface Summary {
  /** Geometric mean over all cells of the misses relative to LRU. */
  readonly geometricMeans: Readonly<Record<string, number>>;
  /** The largest of them. */
  readonly worst: Readonly<Record<string, number>>;
  readonly verdicts: readonly Verdict[];
}

/** Misses of a policy divided by those of LRU. */
function relative(cell: Cell, policy: string): number {
  return missesOf(cell, policy) / missesOf(cell, 'lru');
}

export function summarise(cells: readonly Cell[], policies: readonly string[]): Summary {
  const means: Record<string, number> = {};
  const worst: Record<string, number> = {};
  for (const policy of policies) {
    const values = cells.map((cell) => relative(cell, policy));
    means[policy] = geometricMean(values);
    worst[policy] = Math.max(...values);
  }
  return { geometricMeans: means, worst, verdicts: verdictsOn(cells, policies, means, worst) };
}

function verdictsOn(
  cells: readonly Cell[],
  policies: readonly string[],
  means: Readonly<Record<string, number>>,
  worst: Readonly<Record<string, number>>,
): Verdict[] {
  const verdicts: Verdict[] = [];
  const check = (statement: string, value: number | undefined, limit: number): void => {
    if (value !== undefined) verdicts.push({ statement, value, limit, isMet: value <= limit });
  };
  for (const policy of [DEFAULT_POLICY, 'adaptive']) {
    check(`${policy}: misses against LRU, geometric mean`, means[policy], MAX_GEOMETRIC_MEAN);
    check(`${policy}: misses against LRU, worst`, worst[policy], MAX_RELATIVE);
  }
  check('learned: misses against LRU, worst', worst['learned'], MAX_LEARNED_RELATIVE);
  const recorded = cells.filter((cell) => cell.isRecorded);
  if (
    ['learned', 'w-tinylfu'].every((policy) => policies.includes(policy)) &&
    recorded.length > 0
  ) {
    const rivals = recorded.map(
      (cell) => relative(cell, 'learned') / Math.min(1, relative(cell, 'w-tinylfu')),
    );
    check(
      'learned: misses against the better of LRU and W-TinyLFU on a recorded trace, best',
      Math.min(...rivals),
      1,
    );
  }
  const phased = cells.filter((cell) => cell.phases.length > 1);
  if (policies.includes('adaptive') && phased.length > 0) {
    check(
      'adaptive: misses against the best fixed policy on traces with phases, worst',
      Math.max(
        ...phased.map((cell) => missesOf(cell, 'adaptive') / bestFixed(cell, policies).misses),
      ),
      MAX_BEHIND_BEST,
    );
  }
  return verdicts;
}

/** Tables for people. */
export function printReport(
  cells: readonly Cell[],
  policies: readonly string[],
  summary: Summary,
): void {
  console.log("Misses in percent of LRU's, by trace and number of entries:");
  printTable([
    ...cells.map((cell) => ({
      trace: cell.trace,
      entries: cell.items,
      'LRU misses %': percent(missesOf(cell, 'lru') / cell.requests).padStart(12),
      ...percentages(policies, (policy) => relative(cell, policy)),
    })),
    summaryRow('geometric mean', policies, summary.geometricMeans),
    summaryRow('worst', policies, summary.worst),
  ]);
  printPhases(cells, policies);
  for (const { statement, value, limit, isMet } of summary.verdicts) {
    console.log(
      `${isMet ? 'met   ' : 'MISSED'} ${statement}: ${value.toFixed(3)} (at most ${limit})`,
    );
  }
}

function printPhases(cells: readonly Cell[], policies: readonly string[]): void {
  const phased = cells.filter((cell) => cell.phases.length > 1);
  if (phased.length === 0 || !policies.includes('adaptive')) return;
  console.log('Traces with phases: the best fixed policy, and how adaptive does beside it:');
  printTable(
    phased.flatMap((cell) =>
      [undefined, ...cell.phases.keys()].map((phase) => phaseRow(cell, policies, phase)),
    ),
  );
}

function phaseRow(
  cell: Cell,
  policies: readonly string[],
  phase: number | undefined,
): Record<string, string | number> {
  const best = bestFixed(cell, policies, phase);
  const adaptive = missesOf(cell, 'adaptive', phase);
  return {
    trace: cell.trace,
    entries: cell.items,
    phase: phase === undefined ? 'all' : (cell.phases[phase] ?? ''),
    best: best.policy,
    misses: best.misses,
    'misses of adaptive': adaptive,
    '% of best': percent(adaptive / best.misses).padStart(9),
  };
}

interface Best {
  readonly policy: string;
  readonly misses: number;
}

/** Of a whole trace, or of one phase as the policies lived through the phases before it. */
function bestFixed(cell: Cell, policies: readonly string[], phase?: number): Best {
  let best: Best = { policy: 'lru', misses: Number.POSITIVE_INFINITY };
  for (const policy of policies) {
    if (policy === 'adaptive') continue;
    const misses = missesOf(cell, policy, phase);
    if (misses < best.misses) best = { policy, misses };
  }
  return best;
}

/** Of a whole trace, or of one of its phases. */
function missesOf(cell: Cell, policy: string, phase?: number): number {
  const replay = cell.replays[policy];
  return (phase === undefined ? replay?.misses : replay?.phaseMisses[phase]) ?? Number.NaN;
}

function summaryRow(
  trace: string,
  policies: readonly string[],
  values: Readonly<Record<string, number>>,
): Record<string, string | number> {
  return {
    trace,
    entries: '',
    'LRU misses %': '',
    ...percentages(policies, (policy) => values[policy] ?? Number.NaN),
  };
}

/** Aligned by hand: the table rounds numbers from 100 on to whole ones. */
function percentages(
  policies: readonly string[],
  of: (policy: string) => number,
): Record<string, string> {
  return Object.fromEntries(
    policies.map((policy) => [policy, percent(of(policy)).padStart(policy.length)]),
  );
}

function percent(ratio: number): string {
  return (100 * ratio).toFixed(1);
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
