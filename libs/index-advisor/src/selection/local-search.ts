import type { Choice, Instance } from './instance.js';

/** Ends a search when its time is over. */
export type IsOver = () => boolean;

/** What a change of the choice is: indexes that come and indexes that go. */
interface Move {
  readonly add: readonly number[];
  readonly remove: readonly number[];
}

/**
 * Adds what saves most, by cost alone and again by cost for each byte, as long as something pays
 * and fits; the better of both. Indexes that only pay together are added together.
 */
export function greedy(instance: Instance, isOver: IsOver = () => false): Choice {
  const byCost = add(instance, isOver, () => 1);
  const byBytes = add(instance, isOver, (bytes) => 1 / Math.max(1, bytes));
  return instance.totalCost(byBytes) < instance.totalCost(byCost) ? byBytes : byCost;
}

/** Moves that are tried between pauses. */
const MOVES = 50;

/** Adds, drops and swaps as long as that pays. Returns a choice of its own. */
export async function improve(
  instance: Instance,
  start: Choice,
  isOver: IsOver,
  pause: () => Promise<void>,
): Promise<Choice> {
  const state = new State(instance, start);
  let tried = 0;
  let isBetter = true;
  while (isBetter && !isOver()) {
    isBetter = false;
    for (const move of movesOf(instance, state.chosen)) {
      tried += 1;
      if (tried % MOVES === 0) await pause();
      if (isOver()) break;
      if (state.bytesAfter(move) > instance.budgetBytes || state.gainOf(move) <= EPSILON) continue;
      state.apply(move);
      isBetter = true;
    }
  }
  return state.chosen;
}

const EPSILON = 1e-9;

function add(instance: Instance, isOver: IsOver, scale: (bytes: number) => number): Choice {
  const state = new State(instance, instance.none());
  while (!isOver()) {
    let best: Move | undefined;
    let bestScore = 0;
    for (const move of additions(instance, state.chosen)) {
      const bytes = move.add.reduce((sum, index) => sum + (instance.bytes[index] ?? 0), 0);
      if (state.bytes + bytes > instance.budgetBytes) continue;
      const score = state.gainOf(move) * scale(bytes);
      if (score > bestScore) {
        best = move;
        bestScore = score;
      }
    }
    if (best === undefined) break;
    state.apply(best);
  }
  return state.chosen;
}

/** Every index, and every set of indexes that a plan still lacks. */
function additions(instance: Instance, chosen: Choice): readonly Move[] {
  const sets = new Map<string, readonly number[]>();
  for (const plans of instance.plans) {
    for (const { indexes } of plans) {
      const missing = indexes.filter((index) => chosen[index] !== 1);
      if (missing.length > 0) sets.set(missing.join(), missing);
    }
  }
  return [...sets.values()].map((indexes) => ({ add: indexes, remove: [] }));
}

function* movesOf(instance: Instance, chosen: Choice): Generator<Move> {
  const present = () => [...chosen.keys()].filter((index) => chosen[index] === 1);
  for (const index of present()) yield { add: [], remove: [index] };
  const moves = additions(instance, chosen);
  for (const { add } of moves) {
    const missing = add.filter((index) => chosen[index] !== 1);
    if (missing.length === 0) continue;
    yield { add: missing, remove: [] };
    for (const gone of present()) {
      if (add.includes(gone)) continue;
      yield { add: missing.filter((index) => chosen[index] !== 1), remove: [gone] };
    }
  }
}

/** A choice with what depends on it, kept up to date. */
class State {
  readonly chosen: Choice;
  bytes: number;

  constructor(
    private readonly instance: Instance,
    start: Choice,
  ) {
    this.chosen = Uint8Array.from(start);
    this.bytes = instance.bytesOf(start);
  }

  bytesAfter({ add, remove }: Move): number {
    const sum = (indexes: readonly number[]) =>
      indexes.reduce((total, index) => total + (this.instance.bytes[index] ?? 0), 0);
    return this.bytes + sum(add) - sum(remove.filter((index) => this.chosen[index] === 1));
  }

  /** What a move saves; below 0 what it costs. */
  gainOf(move: Move): number {
    const { instance, chosen } = this;
    const queries = new Set<number>();
    for (const index of [...move.add, ...move.remove]) {
      for (const query of instance.queriesOf[index] ?? []) queries.add(query);
    }
    const costs = () => {
      let sum = instance.writeCost(chosen);
      for (const query of queries) sum += instance.queryCost(query, chosen);
      return sum;
    };
    const before = costs();
    const undo = this.#toggle(move);
    const after = costs();
    for (const [index, value] of undo) chosen[index] = value;
    return before - after;
  }

  apply(move: Move): void {
    this.bytes = this.bytesAfter(move);
    this.#toggle(move);
  }

  #toggle({ add, remove }: Move): readonly (readonly [number, number])[] {
    const before = [...add, ...remove].map((index) => [index, this.chosen[index] ?? 0] as const);
    for (const index of add) this.chosen[index] = 1;
    for (const index of remove) this.chosen[index] = 0;
    return before;
  }
}
