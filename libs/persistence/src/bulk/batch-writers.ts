import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { ColumnGroup, ColumnPlan } from './column-plan.js';
import type { WriteClauses } from './write-clauses.js';

export interface Written {
  readonly count: number;
  readonly rows: readonly object[];
}

/** Writes rows that have the same columns. */
export type WriteGroup = (client: PoolClient, group: ColumnGroup) => Promise<Written>;

/**
 * One statement for any number of rows: a parameter for each column, which is an array, so that the
 * text is the same for every batch and the bound of 65,535 parameters is far away.
 */
export function unnestWriter(plan: ColumnPlan, { conflict, returning }: WriteClauses): WriteGroup {
  return async (client, { columns, values, indexes }) => {
    if (columns.length === 0) return writeDefaults(client, plan, indexes.length, returning);
    const names = columns.map(({ name }) => name).join(', ');
    const casts = columns.map(({ type }, at) => `c${at + 1}::${type}`).join(', ');
    const arrays = columns.map((_, at) => `$${at + 1}::text[]`).join(', ');
    const aliases = columns.map((_, at) => `c${at + 1}`).join(', ');
    const { rows, rowCount } = await client.query(
      `INSERT INTO ${plan.table} (${names}) SELECT ${casts} FROM unnest(${arrays}) AS row(${aliases})${conflict}${returning}`,
      values,
    );
    return { count: rowCount ?? 0, rows: rows as object[] };
  };
}

async function writeDefaults(
  client: PoolClient,
  plan: ColumnPlan,
  count: number,
  returning: string,
): Promise<Written> {
  const all: object[] = [];
  for (let row = 0; row < count; row += 1) {
    const { rows } = await client.query(`INSERT INTO ${plan.table} DEFAULT VALUES${returning}`);
    all.push(...(rows as object[]));
  }
  return { count, rows: all };
}

/** COPY, the fastest way in. With conflicts or rows to give back it goes through a table of its own. */
export function copyWriter(plan: ColumnPlan, clauses: WriteClauses): WriteGroup {
  const isDirect = clauses.conflict === '' && clauses.returning === '';
  return isDirect
    ? (client, group) => copyInto(client, plan.table, group)
    : stagedWriter(plan, clauses);
}

const STAGING = 'pantheon_bulk_insert';

function stagedWriter(plan: ColumnPlan, { conflict, returning }: WriteClauses): WriteGroup {
  return async (client, group) => {
    const names = group.columns.map(({ name }) => name).join(', ');
    if (group.columns.length === 0) {
      return writeDefaults(client, plan, group.indexes.length, returning);
    }
    // Of the columns alone: what is NOT NULL or generated in the table is none of the staging's.
    await client.query(
      `CREATE TEMP TABLE ${STAGING} ON COMMIT DROP AS SELECT ${names} FROM ${plan.table} WHERE false`,
    );
    await copyInto(client, STAGING, group);
    const { rows, rowCount } = await client.query(
      `INSERT INTO ${plan.table} (${names}) SELECT ${names} FROM ${STAGING}${conflict}${returning}`,
    );
    await client.query(`DROP TABLE ${STAGING}`);
    return { count: rowCount ?? 0, rows: rows as object[] };
  };
}

/** Text that is handed to the socket at once. */
const CHUNK_CHARACTERS = 65_536;

async function copyInto(client: PoolClient, table: string, group: ColumnGroup): Promise<Written> {
  const { columns, values, indexes } = group;
  const names = columns.map(({ name }) => name).join(', ');
  const stream = client.query(copyFrom(`COPY ${table} (${names}) FROM STDIN`));
  const end = finished(stream);
  // An error ends the stream while it is being written to; it is thrown below.
  end.catch(() => undefined);
  let chunk = '';
  for (let row = 0; row < indexes.length && !stream.destroyed; row += 1) {
    for (let column = 0; column < values.length; column += 1) {
      const value = (values[column] as (string | null)[])[row];
      chunk += (column === 0 ? '' : '\t') + (value === null ? '\\N' : escaped(value as string));
    }
    chunk += '\n';
    if (chunk.length < CHUNK_CHARACTERS) continue;
    if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), end]);
    chunk = '';
  }
  if (!stream.destroyed) stream.end(chunk);
  await end;
  return { count: stream.rowCount, rows: [] };
}

const SPECIAL = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

function escaped(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text.replaceAll(/[\\\t\n\r]/g, (character) => ESCAPES[character] as string);
}
