import { setImmediate } from 'node:timers/promises';
import { Clock, SystemClock } from '#libs/core';
import { type Choice, Instance } from './instance.js';
import { greedy, improve } from './local-search.js';
import type { SavedProblem } from './problem.js';
import { CHOSEN, type Decisions, LEFT_OUT, OPEN, relax, type Relaxed } from './relaxation.js';

export interface SelectionOptions {
  /** Default 10 s. */
  readonly timeMs?: number;
  /** The search ends when no choice can be better by more than this share; default 0.01. */
  readonly targetGap?: number;
  readonly clock?: Clock;
  /** Told the best cost and what no choice can go below, from time to time. */
  readonly onProgress?: (progress: { readonly cost: number; readonly bound: number }) => void;
}

/** The indexes that were chosen, and how good that is. */
export interface Selection {
  /** Numbers of the indexes of the problem. */
  readonly indexes: readonly number[];
  /** Queries and writes without any of the indexes. */
  readonly costBefore: number;
  /** Queries, writes and shared costs with the chosen ones. */
  readonly costAfter: number;
  /** The part of `costAfter` that writes pay. */
  readonly writeCost: number;
  readonly bytes: number;
  /** No choice within the budget costs less than this. */
  readonly bound: number;
  /** The share of `costAfter` by which another choice could be better at most. */
  readonly gap: number;
  /** Parts of the search that were bounded. */
  readonly nodes: number;
}

interface Part {
  readonly decisions: Decisions;
  readonly bound: number;
  readonly start: Float64Array;
}

const ROOT_ROUNDS = 600;
const ROUNDS = 40;
/** Time for swaps after the proof. */
const POLISH_MS = 1500;
/** The event loop gets its turn after so long. */
const TURN_MS = 20;

/**
 * Chooses the indexes with which a problem's queries and writes cost least within its budget:
 * greedily first, then by swaps, then by branch and bound, best bound first, until the proven gap
 * is small enough or time is up. Gives way to other work of the process in between.
 */
export async function selectIndexes(
  problem: SavedProblem,
  options: SelectionOptions = {},
): Promise<Selection> {
  const search = new Search(new Instance(problem), options);
  return search.run();
}

class Search {
  readonly #clock: Clock;
  readonly #deadline: number;
  readonly #targetGap: number;
  #best: Choice;
  #bestCost: number;
  #nodes = 0;
  #turnEnds = 0;

  constructor(
    private readonly instance: Instance,
    private readonly options: SelectionOptions,
  ) {
    this.#clock = options.clock ?? new SystemClock();
    this.#deadline = this.#clock.monotonicMs() + (options.timeMs ?? 10_000);
    this.#targetGap = options.targetGap ?? 0.01;
    this.#best = instance.none();
    this.#bestCost = instance.totalCost(this.#best);
  }

  async run(): Promise<Selection> {
    const { instance } = this;
    const costBefore = this.#bestCost;
    this.#consider(greedy(instance, this.#isOver));
    await this.#giveWay();
    const bound = await this.#branchAndBound();
    // Within the gap there may be something small that still pays.
    await this.#improve(this.#best, POLISH_MS);
    const costAfter = this.#bestCost;
    return {
      indexes: [...this.#best.keys()].filter((index) => this.#best[index] === 1),
      costBefore,
      costAfter,
      writeCost: instance.writeCost(this.#best),
      bytes: instance.bytesOf(this.#best),
      bound,
      gap: costAfter <= 0 ? 0 : Math.max(0, (costAfter - bound) / costAfter),
      nodes: this.#nodes,
    };
  }

  /** Returns what no choice can go below. */
  async #branchAndBound(): Promise<number> {
    const { instance } = this;
    const decisions = new Uint8Array(instance.size).fill(OPEN);
    const prices = new Float64Array(instance.entryIndexes.length);
    let root = await this.#relax(decisions, prices, ROOT_ROUNDS);
    if (!this.#isClosed(root.bound)) {
      // Only now is it worth the time: what was rounded is often good enough.
      await this.#improve(this.#best);
      this.#improves = true;
      root = await this.#relax(decisions, root.multipliers, ROOT_ROUNDS);
    }
    const open: Part[] = [];
    this.#split(decisions, root, open);
    while (open.length > 0) {
      this.#reportProgress(open);
      const next = takeLowest(open);
      if (this.#isClosed(next.bound) || this.#isOver()) {
        open.push(next);
        break;
      }
      const relaxed = await this.#relax(next.decisions, next.start, ROUNDS);
      // A part of a part cannot be better than the whole.
      this.#split(next.decisions, relaxed, open, next.bound);
    }
    return Math.min(this.#bestCost, this.#closedBound, ...open.map(({ bound }) => bound));
  }

  /** The lowest bound of parts that were not looked into because little could be gained there. */
  #closedBound = Number.POSITIVE_INFINITY;

  #relax(decisions: Decisions, start: Float64Array, rounds: number): Promise<Relaxed> {
    this.#nodes += 1;
    return relax(this.instance, decisions, start, {
      rounds,
      isWarm: rounds !== ROOT_ROUNDS,
      best: this.#bestCost,
      onRounded: async (taken) => {
        await this.#giveWay();
        return await this.#round(decisions, taken);
      },
      isEnough: (bound) => this.#isClosed(bound),
      isOver: this.#isOver,
    });
  }

  /** Decides the index that is least clear, both ways. */
  #split(decisions: Decisions, relaxed: Relaxed, open: Part[], atLeast = 0): void {
    const bound = Math.max(relaxed.bound, atLeast);
    if (this.#isClosed(bound)) {
      this.#closedBound = Math.min(this.#closedBound, bound);
      return;
    }
    const reduced = this.#withoutHopeless(decisions, relaxed);
    const index = branchingIndex(reduced, relaxed);
    if (index === undefined) {
      // Everything is decided, so the cost is known and was considered.
      const chosen = reduced.map((decision) => (decision === CHOSEN ? 1 : 0));
      const isWithin = this.instance.bytesOf(chosen) <= this.instance.budgetBytes;
      if (isWithin) this.#consider(chosen);
      if (isWithin && this.#hasFloors) {
        this.#closedBound = Math.min(this.#closedBound, bound);
      }
      return;
    }
    for (const decision of [CHOSEN, LEFT_OUT]) {
      const child = Uint8Array.from(reduced);
      child[index] = decision;
      if (decision === CHOSEN && !this.#fits(child)) continue;
      open.push({ decisions: child, bound, start: relaxed.multipliers });
    }
  }

  /** Leaves out open indexes with which no choice would be better than the best. */
  #withoutHopeless(decisions: Decisions, { bound, reducedCosts }: Relaxed): Decisions {
    return decisions.map((decision, index) => {
      if (decision !== OPEN) return decision;
      const isHopeless = bound + Math.max(0, reducedCosts[index] ?? 0) >= this.#bestCost;
      return isHopeless || !this.#fitsWith(decisions, index) ? LEFT_OUT : OPEN;
    });
  }

  async #round(decisions: Decisions, taken: Float64Array): Promise<number> {
    const chosen = this.instance.none();
    for (let index = 0; index < chosen.length; index += 1) {
      const isTaken = decisions[index] === CHOSEN || (taken[index] ?? 0) === 1;
      chosen[index] = isTaken ? 1 : 0;
    }
    if (this.instance.bytesOf(chosen) <= this.instance.budgetBytes) {
      const cost = this.instance.totalCost(chosen);
      if (cost < this.#bestCost * 1.05 && cost !== this.#lastRounded) {
        this.#lastRounded = cost;
        this.#consider(chosen);
        if (this.#improves) await this.#improve(chosen);
      }
    }
    return this.#bestCost;
  }

  #lastRounded = Number.NaN;
  /** Whether rounded choices are improved by swaps, which takes most of the time. */
  #improves = false;

  async #improve(choice: Choice, longestMs = Number.POSITIVE_INFINITY): Promise<void> {
    const end = this.#clock.monotonicMs() + longestMs;
    const isOver = () => this.#isOver() || this.#clock.monotonicMs() >= end;
    this.#consider(await improve(this.instance, choice, isOver, () => this.#giveWay()));
  }

  #consider(choice: Choice): void {
    const cost = this.instance.totalCost(choice);
    if (cost >= this.#bestCost) return;
    this.#best = Uint8Array.from(choice);
    this.#bestCost = cost;
  }

  get #hasFloors(): boolean {
    return this.instance.floors.some((floor) => floor !== undefined);
  }

  #fits(decisions: Decisions): boolean {
    return (
      this.instance.bytesOf(decisions.map((decision) => (decision === CHOSEN ? 1 : 0))) <=
      this.instance.budgetBytes
    );
  }

  #fitsWith(decisions: Decisions, index: number): boolean {
    const child = Uint8Array.from(decisions);
    child[index] = CHOSEN;
    return this.#fits(child);
  }

  #isClosed(bound: number): boolean {
    return bound >= this.#bestCost * (1 - this.#targetGap) - 1e-9;
  }

  readonly #isOver = (): boolean => this.#clock.monotonicMs() >= this.#deadline;

  #reportProgress(open: readonly Part[]): void {
    const bound = Math.min(this.#bestCost, ...open.map((part) => part.bound));
    this.options.onProgress?.({ cost: this.#bestCost, bound });
  }

  async #giveWay(): Promise<void> {
    const now = this.#clock.monotonicMs();
    if (now < this.#turnEnds) return;
    await setImmediate();
    this.#turnEnds = this.#clock.monotonicMs() + TURN_MS;
  }
}

function branchingIndex(decisions: Decisions, { disagreement, taken }: Relaxed) {
  let best: number | undefined;
  let most = -1;
  for (let index = 0; index < decisions.length; index += 1) {
    if (decisions[index] !== OPEN) continue;
    const share = taken[index] ?? 0;
    const score = (disagreement[index] ?? 0) + (share > 0 && share < 1 ? 1 : 0) + share * 1e-3;
    if (score > most) {
      most = score;
      best = index;
    }
  }
  return best;
}

function takeLowest(open: Part[]): Part {
  let lowest = 0;
  for (let place = 1; place < open.length; place += 1) {
    if ((open[place]?.bound ?? 0) < (open[lowest]?.bound ?? 0)) lowest = place;
  }
  const [part] = open.splice(lowest, 1);
  if (part === undefined) throw new Error('No part is open.');
  return part;
}
