import { PantheonError } from '#libs/core';

/** The planner's PostgreSQL ended or did not answer. Opening another planner is the remedy. */
export class PlannerStoppedError extends PantheonError {
  constructor(reason: string, cause?: unknown) {
    super('INDEX_ADVISOR_PLANNER_STOPPED', `The planner of indexes stopped: ${reason}.`, {
      kind: 'unavailable',
      cause,
    });
  }
}
