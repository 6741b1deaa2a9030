import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { ColumnGroup, ColumnPlan, NumberedRow, PlannedColumn } from './column-plan.js';
import type { WriteClauses } from './write-clauses.js';

export interface Written {
  readonly count: number;
  readonly rows: readonly object[];
}

/** Writes the rows of one transaction. */
export interface RowWriter {
  write(client: PoolClient, rows: readonly NumberedRow[]): Promise<Written>;
  /** Ends what is still under way; before the commit. */
  finish(client: PoolClient): Promise<Written>;
  /** Gives up what is under way, so that the connection can be used for the rollback. */
  abandon(): Promise<void>;
}

const NOTHING: Written = { count: 0, rows: [] };

/** Writes rows that have the same columns. */
type WriteGroup = (client: PoolClient, group: ColumnGroup) => Promise<Written>;

/** Batch by batch, each in groups of rows that have the same columns. */
class GroupWriter implements RowWriter {
  constructor(
    private readonly plan: ColumnPlan,
    private readonly writeGroup: WriteGroup,
  ) {}

  async write(client: PoolClient, batch: readonly NumberedRow[]): Promise<Written> {
    let count = 0;
    const rows: object[] = [];
    for (const group of this.plan.group(batch)) {
      const written = await this.writeGroup(client, group);
      count += written.count;
      for (const row of written.rows) rows.push(row);
    }
    return { count, rows };
  }

  finish(): Promise<Written> {
    return Promise.resolve(NOTHING);
  }

  abandon(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * One statement for any number of rows: a parameter for each column, which is an array, so that the
 * text is the same for every batch and the bound of 65,535 parameters is far away.
 */
export function unnestWriter(plan: ColumnPlan, { conflict, returning }: WriteClauses): RowWriter {
  return new GroupWriter(plan, async (client, { columns, values, indexes }) => {
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
  });
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
export function copyWriter(plan: ColumnPlan, clauses: WriteClauses): RowWriter {
  const isDirect = clauses.conflict === '' && clauses.returning === '';
  return isDirect ? new CopyWriter(plan) : new GroupWriter(plan, stagedWriter(plan, clauses));
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

async function copyInto(client: PoolClient, table: string, group: ColumnGroup): Promise<void> {
  const { columns, values, indexes } = group;
  const copy = new CopyStream(client, table, columns);
  for (let row = 0; row < indexes.length && copy.isOpen; row += 1) {
    let line = '';
    for (let column = 0; column < values.length; column += 1) {
      line += field(column, (values[column] as (string | null)[])[row] as string | null);
    }
    const isFull = copy.add(line);
    if (isFull !== undefined) await isFull;
  }
  await copy.end();
}

/** One COPY for as long as the rows have the same columns, whatever the batches. */
class CopyWriter implements RowWriter {
  private copy: CopyStream | undefined;
  private present: readonly PlannedColumn[] = [];

  constructor(private readonly plan: ColumnPlan) {}

  async write(client: PoolClient, batch: readonly NumberedRow[]): Promise<Written> {
    let count = 0;
    const { columns } = this.plan;
    for (const { row } of batch) {
      let line = '';
      // Of this row; compared with those of the COPY without making a list for each row.
      let fields = 0;
      let isSame = this.copy !== undefined;
      for (const column of columns) {
        const value = column.read(row);
        if (value === undefined) continue;
        if (isSame) isSame = this.present[fields] === column;
        line += field(fields, value);
        fields += 1;
      }
      if (this.copy === undefined || !isSame || fields !== this.present.length) {
        count += (await this.finish()).count;
        this.present = columns.filter((column) => column.read(row) !== undefined);
        this.copy = new CopyStream(client, this.plan.table, this.present);
      }
      const isFull = this.copy.add(line);
      if (isFull !== undefined) await isFull;
      if (!this.copy.isOpen) break;
    }
    // What was wrong with a row is known when the COPY ends.
    if (this.copy?.isOpen === false) count += (await this.finish()).count;
    return { count, rows: [] };
  }

  async finish(): Promise<Written> {
    const { copy } = this;
    if (copy === undefined) return NOTHING;
    this.copy = undefined;
    return { count: await copy.end(), rows: [] };
  }

  async abandon(): Promise<void> {
    await this.copy?.abandon();
    this.copy = undefined;
  }
}

/** Text that is handed to the socket at once. */
const CHUNK_CHARACTERS = 65_536;

/** A COPY that is under way. */
class CopyStream {
  private readonly stream: ReturnType<typeof copyFrom>;
  private readonly ending: Promise<void>;
  private chunk = '';

  constructor(client: PoolClient, table: string, columns: readonly PlannedColumn[]) {
    const names = columns.length === 0 ? '' : ` (${columns.map(({ name }) => name).join(', ')})`;
    this.stream = client.query(copyFrom(`COPY ${table}${names} FROM STDIN`));
    this.ending = finished(this.stream);
    // An error ends the stream while it is being written to; `end` throws it.
    this.ending.catch(() => undefined);
  }

  get isOpen(): boolean {
    return !this.stream.destroyed;
  }

  /** @returns what to wait for before the next line, if anything */
  add(line: string): Promise<unknown> | undefined {
    this.chunk += line + '\n';
    if (this.chunk.length < CHUNK_CHARACTERS || !this.isOpen) return undefined;
    const hasRoom = this.stream.write(this.chunk);
    this.chunk = '';
    if (hasRoom) return undefined;
    return Promise.race([once(this.stream, 'drain'), this.ending]).catch(() => undefined);
  }

  /** @returns the rows that were stored */
  async end(): Promise<number> {
    if (this.isOpen) this.stream.end(this.chunk);
    await this.ending;
    return this.stream.rowCount;
  }

  async abandon(): Promise<void> {
    this.stream.destroy();
    await this.ending.catch(() => undefined);
  }
}

function field(place: number, value: string | null): string {
  const text = value === null ? '\\N' : escaped(value);
  return place === 0 ? text : `\t${text}`;
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
