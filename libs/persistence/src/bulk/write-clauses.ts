import type { OnConflict } from './bulk-insert.types.js';
import type { ColumnPlan } from './column-plan.js';

/** What follows the rows of an insert. */
export interface WriteClauses {
  readonly conflict: string;
  readonly returning: string;
}

/** The ON CONFLICT and RETURNING of an insert into the table of a plan. */
export function writeClauses<Row>(
  plan: ColumnPlan,
  conflict: OnConflict<Row>,
  returning: readonly string[],
): WriteClauses {
  const given = plan.namesOf(returning);
  return {
    conflict: conflictClause(plan, conflict),
    returning:
      given.length === 0
        ? ''
        : ` RETURNING ${given.map((name, at) => `${name} AS "${String(returning[at]).replaceAll('"', '""')}"`).join(', ')}`,
  };
}

function conflictClause<Row>(plan: ColumnPlan, conflict: OnConflict<Row>): string {
  if (conflict === 'fail') return '';
  if (conflict === 'skip') return ' ON CONFLICT DO NOTHING';
  const set = plan.namesOf(conflict.update).map((name) => `${name} = excluded.${name}`);
  const action = set.length === 0 ? 'DO NOTHING' : `DO UPDATE SET ${set.join(', ')}`;
  return ` ON CONFLICT (${plan.namesOf(conflict.on).join(', ')}) ${action}`;
}
