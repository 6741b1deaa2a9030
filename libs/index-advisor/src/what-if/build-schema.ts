import type { Catalog } from '../catalog/catalog.js';
import { quoteName } from './candidate-index.js';
import type { PlanningSession } from './planning-session.js';
import {
  attachSteps,
  collationSteps,
  constraintSteps,
  createTable,
  indexSteps,
  objectSteps,
  type SchemaStep,
  schemaSteps,
} from './schema-script.js';
import type { Difference } from './what-if-planner.js';

/** Extensions without effect on plans, which nobody misses. */
const HARMLESS = new Set(['plpgsql', 'pg_stat_statements', 'auto_explain', 'hypopg']);

/**
 * Creates the schema of the catalog, with its indexes, in an empty cluster.
 * Returns what could not be created; plans without it may differ or be impossible.
 */
export async function buildSchema(
  session: PlanningSession,
  catalog: Catalog,
  available: ReadonlySet<string>,
): Promise<readonly Difference[]> {
  await session.query('SET check_function_bodies = off');
  // Definitions name every object with its schema.
  await session.query(`SET search_path = ''`);
  await attemptAll(session, schemaSteps(catalog));
  const extensions = await createExtensions(session, catalog, available);
  await attemptAll(session, collationSteps(catalog));
  const objects = await createObjects(session, catalog);
  const rest = [
    ...(await attemptAll(session, attachSteps(catalog))),
    ...(await attemptAll(session, indexSteps(catalog))),
    ...(await attemptAll(session, constraintSteps(catalog))),
  ];
  return [...extensions, ...objects, ...rest.map(missing)];
}

interface Failure extends SchemaStep {
  readonly reason: string;
}

async function createExtensions(
  session: PlanningSession,
  { extensions }: Catalog,
  available: ReadonlySet<string>,
): Promise<readonly Difference[]> {
  const wanted = extensions.filter(({ name }) => !HARMLESS.has(name));
  const failures = await attemptAll(
    session,
    wanted
      .filter(({ name }) => available.has(name))
      .map(({ name, schema }) => ({
        sql: `CREATE EXTENSION IF NOT EXISTS ${quoteName(name)} SCHEMA ${quoteName(schema)} CASCADE`,
        subject: name,
      })),
  );
  const absent = wanted.filter(({ name }) => !available.has(name)).map(({ name }) => name);
  return [...absent, ...failures.map(({ subject }) => subject)].map((subject) => ({
    kind: 'extension-missing',
    subject,
    detail:
      'The planner does not have this extension: columns of its types count as text, and ' +
      'statements with its operators or functions cannot be planned.',
  }));
}

async function createObjects(
  session: PlanningSession,
  catalog: Catalog,
): Promise<readonly Difference[]> {
  let failures = await attemptAll(session, objectSteps(catalog));
  if (failures.length === 0) return [];
  const unknown = await unknownTypes(session, catalog);
  const replaced = new Map(
    catalog.tables
      .filter(({ columns }) => columns.some(({ type }) => unknown.has(type)))
      .map((table) => [`${table.schema}.${table.name}`, table]),
  );
  const again = failures.map((step) => {
    const table = replaced.get(step.subject);
    return table === undefined
      ? step
      : { ...step, sql: createTable(table, (type) => !unknown.has(type)) };
  });
  failures = await attemptAll(session, again);
  const types = [...unknown].map((subject) => ({
    kind: 'type-missing',
    subject,
    detail: 'The planner does not have this type; columns of it count as text without statistics.',
  }));
  return [...types, ...failures.map(missing)];
}

async function unknownTypes(
  session: PlanningSession,
  { tables }: Catalog,
): Promise<ReadonlySet<string>> {
  const types = tables.flatMap(({ columns }) => columns.map(({ type }) => type));
  const rows = await session.query<{ type: string }>(
    `SELECT type FROM unnest($1::text[]) AS type WHERE to_regtype(type) IS NULL`,
    [[...new Set(types)]],
  );
  return new Set(rows.map(({ type }) => type));
}

/** Runs steps in rounds, as they may need each other, until a round brings nothing new. */
async function attemptAll(
  session: PlanningSession,
  steps: readonly SchemaStep[],
): Promise<readonly Failure[]> {
  const reasons = await session.attempt(steps);
  const failed = steps.flatMap((step, position) => {
    const reason = reasons[position];
    return reason === undefined ? [] : [{ ...step, reason }];
  });
  if (failed.length === 0 || failed.length === steps.length) return failed;
  return attemptAll(session, failed);
}

function missing({ subject, reason }: Failure): Difference {
  return {
    kind: 'object-missing',
    subject,
    detail: `The planner could not create it: ${reason}. Plans are made without it.`,
  };
}
