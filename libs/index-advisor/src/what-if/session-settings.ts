import type { ServerFacts } from '../catalog/catalog.js';

/** Settings by which the planner of 18 can be told to do without what came after a version. */
const SINCE: Readonly<Record<string, number>> = {
  enable_memoize: 14,
  enable_async_append: 14,
  enable_presorted_aggregate: 16,
  enable_group_by_reordering: 17,
  enable_self_join_elimination: 18,
  enable_distinct_reordering: 18,
};

/** Settings of the server that its planner goes by, as statements for the copy. */
export function settingSteps({ settings, majorVersion }: ServerFacts): readonly string[] {
  const later = Object.entries(SINCE).filter(([, since]) => majorVersion < since);
  return [
    ...[...settings]
      // Settings of a compiler cost nothing here, and nothing runs.
      .filter(([name]) => !name.startsWith('jit'))
      .map(([name, value]) => setting(name, value)),
    ...later.map(([name]) => setting(name, 'off')),
  ];
}

function setting(name: string, value: string): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  // What SET takes as a list, set_config takes as one text.
  return `SELECT set_config(${quoted(name)}, ${quoted(value)}, false)`;
}
