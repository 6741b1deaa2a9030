import type { CandidateIndex } from './candidate-index.js';
import type { Plan } from './plan.js';

/** A statement of the workload. */
export interface Statement {
  /** SQL, with `$1`, `$2`, … for parameters. */
  readonly sql: string;
  /**
   * The values in order, as text or what `pg` takes. With them the plan is the one for these
   * values; without them a statement that has `$n` is planned for any value (a generic plan).
   */
  readonly parameters?: readonly unknown[];
}

/** An existing index by name. */
export interface IndexName {
  readonly schema: string;
  readonly name: string;
}

/** Something because of which plans here may differ from those of the server. */
export interface Difference {
  /** Stable, such as `server-version`, `statistics-hidden`, `extension-missing`. */
  readonly kind: string;
  /** The object it is about, such as `public.orders` or an extension's name. */
  readonly subject: string;
  /** What is different and what that does to plans, for people; holds no values of rows. */
  readonly detail: string;
}

/**
 * Plans statements as the server would if it had other indexes, without touching the server.
 * An instance plans for the catalog it was opened with; close it, because it holds a private copy
 * of the statistics, which contain values of rows.
 */
export abstract class WhatIfPlanner {
  /** Why plans may differ from the server's; empty when nothing is known. */
  abstract readonly differences: readonly Difference[];

  /**
   * Makes candidates known, many at once. Optional, but one call for all is cheap (below a second)
   * and each `explain` with a candidate that is not known yet costs as much.
   * Returns those that PostgreSQL refuses, with its reason; they are ignored from then on.
   */
  abstract prepare(candidates: readonly CandidateIndex[]): Promise<readonly RefusedCandidate[]>;

  /**
   * The plan of a statement (SELECT, INSERT, UPDATE, DELETE, MERGE) when `candidates` exist beside
   * the indexes of the catalog, and those in `without` do not. About a millisecond.
   * Throws `INDEX_ADVISOR_STATEMENT_REFUSED` when PostgreSQL cannot plan the statement.
   */
  abstract explain(
    statement: string | Statement,
    candidates?: readonly CandidateIndex[],
    without?: readonly IndexName[],
  ): Promise<Plan>;

  /** The size that an index would have if it were built now. */
  abstract sizeBytesOf(candidate: CandidateIndex): number;

  /** Ends the planner and deletes its copy; may be called twice. */
  abstract close(): Promise<void>;
}

export interface RefusedCandidate {
  readonly candidate: CandidateIndex;
  readonly reason: string;
}
