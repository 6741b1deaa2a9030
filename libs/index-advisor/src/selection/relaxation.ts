import type { Instance } from './instance.js';

/** Which indexes are decided: 1 chosen, 0 not, and the rest open. */
export const CHOSEN = 1;
export const LEFT_OUT = 0;
export const OPEN = 2;
export type Decisions = Uint8Array;

/** What the relaxation says of a part of the search. */
export interface Relaxed {
  /** No choice that agrees with the decisions costs less. */
  readonly bound: number;
  /** Multipliers that gave the bound; a good start for parts of this part. */
  readonly multipliers: Float64Array;
  /** Of the best multipliers: how much of each open index is taken, 0 to 1. */
  readonly taken: Float64Array;
  /** Of the best multipliers: the queries that want each open index, less those that get it. */
  readonly disagreement: Float64Array;
  /** What choosing each open index costs at least beyond the bound. */
  readonly reducedCosts: Float64Array;
}

/** Told the rounded choice of each round, which may be better than the best one known. */
export type OnRounded = (taken: Float64Array) => Promise<number>;

/**
 * A lower bound by Lagrangian relaxation. That a plan needs its indexes to be chosen is not
 * demanded but priced: each query picks the plan that is cheapest with prices, each index earns
 * the prices of those that might use it, and what remains is a knapsack whose fractional optimum is
 * simple. Any prices give a bound; a subgradient ascent with Polyak's step looks for good ones.
 * (M. Fisher, "The Lagrangian relaxation method for solving integer programming problems", 1981;
 * applied to index selection by Dash, Polyzotis and Ailamaki, "CoPhy", 2011.)
 */
export async function relax(
  instance: Instance,
  decisions: Decisions,
  start: Float64Array,
  options: {
    readonly rounds: number;
    /** Whether the prices to start from were good nearby. */
    readonly isWarm: boolean;
    readonly best: number;
    readonly onRounded: OnRounded;
    /** Whether a bound is good enough for the best that is known. */
    readonly isEnough: (bound: number) => boolean;
    readonly isOver: () => boolean;
  },
): Promise<Relaxed> {
  const prices = Float64Array.from(start);
  const round = new Round(instance, decisions);
  let best: Relaxed | undefined;
  let target = options.best;
  // Prices that were good for the whole need small changes for a part.
  let step = options.isWarm ? 0.3 : 1;
  let stale = 0;
  for (let count = 0; count < options.rounds; count += 1) {
    const bound = round.evaluate(prices);
    if (best === undefined || bound > best.bound) {
      stale = best !== undefined && bound - best.bound < 1e-6 * Math.abs(bound) ? stale + 1 : 0;
      best = { bound, multipliers: Float64Array.from(prices), ...round.snapshot() };
    } else stale += 1;
    if (count % 10 === 0) target = Math.min(target, await options.onRounded(round.taken));
    if (options.isEnough(best.bound) || options.isOver()) break;
    if (stale >= 12) {
      step /= 2;
      stale = 0;
      if (step < 1e-3) break;
      prices.set(best.multipliers);
      round.evaluate(prices);
    }
    if (!round.move(prices, step, target)) break;
  }
  if (best === undefined) throw new Error('A relaxation takes at least one round.');
  return best;
}

class Round {
  readonly taken: Float64Array;
  readonly #earned: Float64Array;
  readonly #reduced: Float64Array;
  readonly #wanted: Uint8Array;
  readonly #wantedBy: Float64Array;
  /** What each open index costs by itself, with its part of the shared costs. */
  readonly #ownCosts: Float64Array;
  readonly #paid: number;
  readonly #budget: number;
  readonly #open: readonly number[];
  #bound = 0;

  constructor(
    private readonly instance: Instance,
    private readonly decisions: Decisions,
  ) {
    const { size, shared, sharedOf, fixedCosts, bytes } = instance;
    this.taken = new Float64Array(size);
    this.#earned = new Float64Array(size);
    this.#reduced = new Float64Array(size);
    this.#wantedBy = new Float64Array(size);
    this.#wanted = new Uint8Array(instance.entryIndexes.length);
    this.#ownCosts = new Float64Array(size);
    const isPaid = shared.map(({ indexes }) =>
      indexes.some((index) => decisions[index] === CHOSEN),
    );
    let paid = shared.reduce(
      (sum, { cost }, place) => sum + (isPaid[place] === true ? cost : 0),
      0,
    );
    let left = instance.budgetBytes;
    const open: number[] = [];
    for (let index = 0; index < size; index += 1) {
      if (decisions[index] === CHOSEN) {
        paid += fixedCosts[index] ?? 0;
        left -= bytes[index] ?? 0;
      }
      if (decisions[index] !== OPEN) continue;
      open.push(index);
      // A cost that several share is at least the sum of their equal parts.
      const parts = (sharedOf[index] ?? []).map((place) =>
        isPaid[place] === true
          ? 0
          : (shared[place]?.cost ?? 0) / (shared[place]?.indexes.length ?? 1),
      );
      this.#ownCosts[index] = (fixedCosts[index] ?? 0) + parts.reduce((sum, part) => sum + part, 0);
    }
    this.#paid = paid;
    this.#budget = left;
    this.#open = open;
  }

  /** The bound for these prices; remembers which plans and indexes gave it. */
  evaluate(prices: Float64Array): number {
    const { instance, decisions } = this;
    this.#earned.fill(0);
    this.#wantedBy.fill(0);
    this.#wanted.fill(0);
    let total = this.#paid;
    for (let entry = 0; entry < prices.length; entry += 1) {
      const index = instance.entryIndexes[entry] ?? 0;
      this.#earned[index] = (this.#earned[index] ?? 0) + (prices[entry] ?? 0);
    }
    for (let query = 0; query < instance.plans.length; query += 1) {
      let cheapest = Number.POSITIVE_INFINITY;
      let entries: readonly number[] = [];
      for (const plan of instance.plans[query] ?? []) {
        // Plans are sorted, and prices only add.
        if (plan.cost >= cheapest) break;
        let cost = plan.cost;
        for (let place = 0; place < plan.indexes.length; place += 1) {
          const decision = decisions[plan.indexes[place] ?? 0];
          if (decision === LEFT_OUT) cost = Number.POSITIVE_INFINITY;
          else if (decision === OPEN) cost += prices[plan.entries[place] ?? 0] ?? 0;
        }
        if (cost < cheapest) {
          cheapest = cost;
          entries = plan.entries;
        }
      }
      const floor = instance.floors[query];
      if (floor !== undefined && floor < cheapest) {
        cheapest = floor;
        entries = [];
      }
      total += cheapest;
      for (const entry of entries) {
        const index = instance.entryIndexes[entry] ?? 0;
        this.#wanted[entry] = 1;
        this.#wantedBy[index] = (this.#wantedBy[index] ?? 0) + 1;
      }
    }
    this.#bound = total + this.#knapsack();
    return this.#bound;
  }

  snapshot(): Pick<Relaxed, 'taken' | 'disagreement' | 'reducedCosts'> {
    const disagreement = new Float64Array(this.instance.size);
    for (const index of this.#open) {
      const wanting = this.#wantedBy[index] ?? 0;
      const share = this.taken[index] ?? 0;
      const all = this.instance.queriesOf[index]?.length ?? 0;
      disagreement[index] = Math.min(wanting, all) * (1 - share) + (all - wanting) * share;
    }
    return {
      taken: Float64Array.from(this.taken),
      disagreement,
      reducedCosts: Float64Array.from(this.#reduced),
    };
  }

  /** Changes prices along the subgradient; false when nothing disagrees, so the bound is exact. */
  move(prices: Float64Array, step: number, target: number): boolean {
    const { entryIndexes } = this.instance;
    let norm = 0;
    for (let entry = 0; entry < prices.length; entry += 1) {
      const gradient = this.#gradient(entry, prices);
      norm += gradient * gradient;
    }
    if (norm === 0) return false;
    const length = (step * Math.max(target - this.#bound, 1e-6 * Math.abs(target))) / norm;
    for (let entry = 0; entry < entryIndexes.length; entry += 1) {
      const gradient = this.#gradient(entry, prices);
      if (gradient !== 0) prices[entry] = Math.max(0, (prices[entry] ?? 0) + length * gradient);
    }
    return true;
  }

  #gradient(entry: number, prices: Float64Array): number {
    const index = this.instance.entryIndexes[entry] ?? 0;
    if (this.decisions[index] !== OPEN) return 0;
    const gradient = (this.#wanted[entry] ?? 0) - (this.taken[index] ?? 0);
    // A price cannot fall below zero, so there it is no direction.
    return gradient < 0 && (prices[entry] ?? 0) <= 0 ? 0 : gradient;
  }

  /** Takes the open indexes that earn most for each byte, the last one in part. */
  #knapsack(): number {
    const { bytes } = this.instance;
    this.taken.fill(0);
    const paying: number[] = [];
    for (const index of this.#open) {
      const reduced = (this.#ownCosts[index] ?? 0) - (this.#earned[index] ?? 0);
      this.#reduced[index] = reduced;
      if (reduced < 0) paying.push(index);
    }
    const density = (index: number) => (this.#reduced[index] ?? 0) / Math.max(1, bytes[index] ?? 0);
    paying.sort((a, b) => density(a) - density(b));
    let left = this.#budget;
    let total = 0;
    for (const index of paying) {
      const size = bytes[index] ?? 0;
      const share = size <= left ? 1 : Math.max(0, left) / size;
      if (share === 0) break;
      this.taken[index] = share;
      total += share * (this.#reduced[index] ?? 0);
      left -= share * size;
    }
    return total;
  }
}
