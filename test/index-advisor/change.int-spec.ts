import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { SystemClock } from '#libs/core';
import {
  CallbackChangeAudit,
  type ChangeEntry,
  type ChangeLimits,
  IndexChanger,
  indexName,
  openPgSession,
} from '#libs/index-advisor';
import { cloneTemplate } from '../support/database.js';
import { CHANGE } from './change-fixtures.js';

const ROOT = new URL('../../', import.meta.url);
const NAME = indexName(CHANGE.index);

let database: Awaited<ReturnType<typeof cloneTemplate>>;
let clients: Client[];
let client: Client;
let entries: ChangeEntry[];

beforeEach(async () => {
  database = await cloneTemplate();
  clients = [];
  entries = [];
  client = await connect();
  await client.query(`
    CREATE TABLE parcel (id int PRIMARY KEY, receiver int NOT NULL, sent_at timestamptz NOT NULL);
    CREATE TABLE elsewhere (id int PRIMARY KEY);
    INSERT INTO parcel SELECT i, i % 500, now() - i * interval '1 min'
      FROM generate_series(1, 20000) i`);
});

afterEach(async () => {
  await Promise.all(clients.map((each) => each.end()));
  await database.drop();
});

async function connect(): Promise<Client> {
  const made = new Client({ connectionString: database.url });
  await made.connect();
  clients.push(made);
  return made;
}

function changer(limits: Partial<ChangeLimits> = {}): IndexChanger {
  return new IndexChanger({
    openSession: () => openPgSession(database.url),
    audit: new CallbackChangeAudit((entry) => entries.push(entry)),
    clock: new SystemClock(),
    limits: { watchEveryMs: 50, ...limits },
  });
}

const steps = () => entries.map(({ step }) => step);

async function indexes(): Promise<Record<string, boolean>> {
  const { rows } = await client.query(
    `SELECT c.relname AS name, x.indisvalid AS valid FROM pg_index x
       JOIN pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = 'parcel'::regclass`,
  );
  return Object.fromEntries(rows.map(({ name, valid }) => [name, valid]));
}

/** Opens a transaction that sees a table which nobody changes. */
async function foreignTransaction(table = 'elsewhere'): Promise<Client> {
  const foreign = await connect();
  await foreign.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await foreign.query(`SELECT * FROM ${table} LIMIT 1`);
  return foreign;
}

async function phase(prefix: string): Promise<void> {
  for (;;) {
    const { rows } = await client.query(
      'SELECT phase FROM pg_stat_progress_create_index WHERE datname = current_database()',
    );
    if (rows.some((row) => String(row.phase).startsWith(prefix))) return;
    await sleep(20);
  }
}

async function noBuild(): Promise<void> {
  for (;;) {
    const { rows } = await client.query(
      'SELECT FROM pg_stat_progress_create_index WHERE datname = current_database()',
    );
    if (rows.length === 0) return;
    await sleep(20);
  }
}

describe('building an index in use', () => {
  it('builds it once, and audits each step', async () => {
    const built = await changer().build(CHANGE);
    const again = await changer().build(CHANGE);

    expect(built).toMatchObject({ state: 'built', name: NAME });
    expect(again).toMatchObject({ state: 'already-there', name: NAME, bytes: built.bytes });
    expect(steps()).toEqual(['preflight', 'build-started', 'built', 'already-there']);
    expect(await indexes()).toEqual({ parcel_pkey: true, [NAME]: true });
    expect(entries[0]).toMatchObject({ changeId: CHANGE.id, table: 'parcel', index: NAME });
    const { rows } = await client.query(`SELECT pg_get_indexdef('${NAME}'::regclass) AS ddl`);
    expect(rows[0].ddl).toContain('(receiver, sent_at DESC)');
  });

  it('waits for a foreign transaction of 9 s on another table and leaves nothing invalid', async () => {
    const foreign = await foreignTransaction();
    const phases = new Set<string>();
    const building = changer().build(CHANGE, { onProgress: (now) => phases.add(now.phase) });
    await sleep(9000);
    await foreign.query('COMMIT');

    expect(await building).toMatchObject({ state: 'built' });
    expect(await indexes()).toEqual({ parcel_pkey: true, [NAME]: true });
    expect([...phases]).toContain('waiting for old snapshots');
    expect(steps()).toEqual(['preflight', 'build-started', 'built']);
    const checks = entries[0]?.detail['checks'];
    expect(checks).toContainEqual(
      expect.objectContaining({ name: 'long-transactions', state: 'warning' }),
    );
  }, 30_000);

  it('gives up when it waits too long, and removes what it began', async () => {
    const foreign = await foreignTransaction();
    await expect(changer({ maxWaitMs: 200 }).build(CHANGE)).rejects.toMatchObject({
      code: 'INDEX_BUILD_FAILED',
    });
    expect(await indexes()).toEqual({ parcel_pkey: true });
    expect(steps()).toEqual(['preflight', 'build-started', 'build-failed', 'invalid-dropped']);
    await foreign.query('COMMIT');
    expect(await changer().build(CHANGE)).toMatchObject({ state: 'built' });
  });

  it('gives way to others who wait for the lock that it holds', async () => {
    const foreign = await foreignTransaction();
    const building = changer({ lockWaitMs: 300 }).build(CHANGE);
    const failed = expect(building).rejects.toMatchObject({ code: 'INDEX_BUILD_FAILED' });
    await phase('waiting');
    const other = await connect();
    await other.query('ALTER TABLE parcel ADD COLUMN note text');
    await failed;
    await foreign.query('COMMIT');
    expect(await indexes()).toEqual({ parcel_pkey: true });
  });

  it('stops when it is no longer wanted', async () => {
    const foreign = await foreignTransaction();
    const stop = new AbortController();
    const building = changer().build(CHANGE, { signal: stop.signal });
    const failed = expect(building).rejects.toMatchObject({ code: 'INDEX_BUILD_FAILED' });
    await phase('waiting');
    stop.abort();
    await failed;
    await foreign.query('COMMIT');
    expect(await indexes()).toEqual({ parcel_pkey: true });
  });

  it('repairs what a process left that was killed in the middle', async () => {
    const foreign = await foreignTransaction();
    const child = spawn(
      process.execPath,
      [
        `--import=${new URL('test/start/support/register-typescript.mjs', ROOT).href}`,
        fileURLToPath(new URL('test/index-advisor/build.program.ts', ROOT)),
        database.url,
      ],
      { cwd: fileURLToPath(ROOT), env: { PATH: process.env['PATH'] }, stdio: 'inherit' },
    );
    await phase('waiting');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await indexes()).toEqual({ parcel_pkey: true, [NAME]: false });

    // The server notices that its client is gone, and ends the build and its lock.
    await noBuild();
    expect(await indexes()).toEqual({ parcel_pkey: true, [NAME]: false });
    const repairing = changer().build(CHANGE);
    await phase('waiting for old snapshots');
    await foreign.query('COMMIT');

    expect(await repairing).toMatchObject({ state: 'built' });
    expect(await indexes()).toEqual({ parcel_pkey: true, [NAME]: true });
    expect(steps()).toEqual(['preflight', 'invalid-dropped', 'build-started', 'built']);
  }, 60_000);

  it('builds once for callers who ask at the same time', async () => {
    const outcomes = await Promise.all([changer().build(CHANGE), changer().build(CHANGE)]);
    expect(outcomes.map(({ state }) => state).toSorted()).toEqual(['already-there', 'built']);
  });

  it('does not touch what it should not', async () => {
    const gone = { ...CHANGE, index: { ...CHANGE.index, table: 'nowhere' } };
    await expect(changer().build(gone)).rejects.toMatchObject({ code: 'INDEX_CHANGE_REFUSED' });
    const foreign = await foreignTransaction();
    await sleep(30);
    await expect(changer({ maxTransactionAgeMs: 10 }).build(CHANGE)).rejects.toThrow(
      'end it first',
    );
    await foreign.query('COMMIT');
    await client.query(`CREATE TABLE "${NAME}" (id int)`);
    await expect(changer().build(CHANGE)).rejects.toThrow('something else is called');
    const tooLarge = new IndexChanger({
      openSession: () => openPgSession(database.url),
      audit: new CallbackChangeAudit(() => undefined),
      clock: new SystemClock(),
      diskFreeBytes: () => Promise.resolve(2_000_000),
    });
    await expect(tooLarge.build(CHANGE)).rejects.toThrow('only 2 MB are free');
    expect(await indexes()).toEqual({ parcel_pkey: true });
  });

  it('takes an index away again', async () => {
    await changer().build(CHANGE);
    await changer().revert(CHANGE, { reason: 'it does not pay' });
    await changer().revert(CHANGE, { reason: 'it does not pay' });
    expect(await indexes()).toEqual({ parcel_pkey: true });
    expect(steps().slice(-2)).toEqual(['reverted', 'reverted']);
  });
});
