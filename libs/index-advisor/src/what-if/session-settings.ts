import type { ServerFacts } from '../catalog/catalog.js';
import type { Step } from './planning-worker.js';

/** Settings by which the planner of 18 can be told to do without what came after a version. */
const SINCE: Readonly<Record<string, number>> = {
  enable_memoize: 14,
  enable_async_append: 14,
  enable_presorted_aggregate: 16,
  enable_group_by_reordering: 17,
  enable_self_join_elimination: 18,
  enable_distinct_reordering: 18,
};

/** Sets what the server's planner goes by, as far as the copy knows it, in one statement. */
export function settingStep({ settings, majorVersion }: ServerFacts): Step {
  const later = Object.entries(SINCE).filter(([, since]) => majorVersion < since);
  const wanted = [
    // A compiler costs nothing here, as nothing runs.
    ...[...settings].filter(([name]) => !name.startsWith('jit')),
    ...later.map(([name]) => [name, 'off'] as const),
  ];
  return {
    sql: `SELECT set_config(wanted.name, wanted.value, false)
      FROM unnest($1::text[], $2::text[]) AS wanted (name, value)
        JOIN pg_settings s ON lower(s.name) = lower(wanted.name)
      WHERE s.context IN ('user', 'superuser')`,
    parameters: [wanted.map(([name]) => name), wanted.map(([, value]) => value)],
  };
}
