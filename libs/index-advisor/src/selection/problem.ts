import { z } from 'zod';
import { ProblemInvalidError } from '../errors/problem-invalid.error.js';

const cost = z.number().nonnegative();
const indexNumbers = z.array(z.int().nonnegative()).readonly();

const problemSchema = z.strictObject({
  version: z.literal(1),
  /** Bytes that all chosen indexes may take. */
  budgetBytes: cost,
  indexes: z
    .array(
      z.strictObject({
        name: z.string(),
        sizeBytes: cost,
        /** What the index costs while it exists, in the unit of queries' costs times weights. */
        writeCost: cost,
      }),
    )
    .readonly(),
  queries: z
    .array(
      z.strictObject({
        name: z.string(),
        /** How often it is asked. */
        weight: cost,
        /** Of one call without any of the indexes. */
        baseCost: cost,
        /** Plans and the indexes, by number, that each needs. */
        plans: z.array(z.strictObject({ indexes: indexNumbers, cost })).readonly(),
        /** No plan that is missing in `plans` costs less; absent when none is missing. */
        floorCost: cost.optional(),
      }),
    )
    .readonly(),
  /** Costs that are paid once when any of the indexes exists, such as HOT updates that are lost. */
  sharedCosts: z.array(z.strictObject({ indexes: indexNumbers, cost })).readonly(),
});

/**
 * Which indexes to choose, with all that has to be known for it: queries, plans with the indexes
 * that each needs, costs, sizes. It can be saved as JSON and solved without a database. A query's
 * cost under a set of indexes is that of the cheapest plan whose indexes are all in the set.
 */
export type SavedProblem = Readonly<z.infer<typeof problemSchema>>;
export type ProblemQuery = SavedProblem['queries'][number];
export type ProblemPlan = ProblemQuery['plans'][number];

/** Reads a saved problem. Throws `INDEX_ADVISOR_PROBLEM_INVALID` when it is none. */
export function readProblem(json: string): SavedProblem {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new ProblemInvalidError('it is not JSON', error);
  }
  const result = problemSchema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new ProblemInvalidError(`${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { indexes, queries, sharedCosts } = result.data;
  const used = [...queries.flatMap(({ plans }) => plans), ...sharedCosts];
  const missing = used.flatMap((plan) => plan.indexes).find((index) => index >= indexes.length);
  if (missing !== undefined) {
    throw new ProblemInvalidError(`index ${missing} is used and not among the indexes`);
  }
  return result.data;
}

/** A problem as JSON. */
export function writeProblem(problem: SavedProblem): string {
  return JSON.stringify(problem);
}
