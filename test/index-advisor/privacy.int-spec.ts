import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Client } from 'pg';
import { type Catalog, connectionOf, openWhatIfPlanner, readCatalog } from '#libs/index-advisor';
import { cloneTemplate } from '../support/database.js';

/** A process that is long gone. */
const NO_PROCESS = 2 ** 22 + 1;

let client: Client;
let drop: () => Promise<void>;
let workFolder: string;

beforeAll(async () => {
  workFolder = await mkdtemp(join(tmpdir(), 'what-if-'));
  const template = await cloneTemplate();
  drop = template.drop;
  client = new Client({ connectionString: template.url });
  await client.connect();
  await client.query(`
    CREATE TABLE patients (id int PRIMARY KEY, name text NOT NULL, illness text NOT NULL);
    INSERT INTO patients SELECT i, 'Secretname', CASE WHEN i % 2 = 0 THEN 'Secretflu' ELSE 'none' END
      FROM generate_series(1, 1000) i;
    CREATE ROLE what_if_reader;
    GRANT SELECT (id, name) ON patients TO what_if_reader`);
  await client.query('ANALYZE');
}, 120_000);

afterAll(async () => {
  await client.query('DROP OWNED BY what_if_reader; DROP ROLE what_if_reader');
  await client.end();
  await drop();
  await rm(workFolder, { recursive: true, force: true });
});

describe('values of rows in statistics', () => {
  it('show neither in JSON nor in what is logged of a catalog', async () => {
    const catalog = await readCatalog(connectionOf(client));
    const column = patients(catalog).columns.find(({ name }) => name === 'name');

    expect(column?.statistics?.values.reveal().mostCommonValues).toBe('{Secretname}');
    expect(JSON.stringify(catalog)).not.toContain('Secretname');
    expect(inspect(catalog, { depth: 20, showHidden: true })).not.toContain('Secretname');
  });

  it('are read as the role may, which tells what is missing', async () => {
    await client.query('SET ROLE what_if_reader');
    const catalog = await readCatalog(connectionOf(client));
    await client.query('RESET ROLE');

    const [id, name, illness] = patients(catalog).columns;
    expect(id?.statistics).toBeDefined();
    expect(name?.statistics).toBeDefined();
    expect(illness?.statistics).toBeUndefined();
    expect(catalog.gaps).toContainEqual({
      kind: 'statistics-hidden',
      subject: 'public.patients',
      detail: expect.stringContaining('may not SELECT illness'),
    });
  });

  it('stand in a folder that only its user can enter, and only while the planner is open', async () => {
    const planner = await openWhatIfPlanner(await readCatalog(connectionOf(client)), {
      workFolder,
    });
    const [copy = ''] = await copies();
    const { mode } = await stat(join(workFolder, copy));
    await planner.close();
    await planner.close();

    expect(mode & 0o777).toBe(0o700);
    expect(await copies()).toEqual([]);
    await expect(planner.explain('SELECT 1')).rejects.toMatchObject({
      code: 'INDEX_ADVISOR_PLANNER_STOPPED',
    });
  });

  it('are removed after a crash, by the next planner that is opened', async () => {
    const leftOver = join(workFolder, `copy-${NO_PROCESS}-abc`);
    await mkdir(leftOver, { mode: 0o700 });
    await writeFile(
      join(leftOver, 'owner.json'),
      JSON.stringify({ pid: NO_PROCESS, identity: 'gone' }),
    );
    const reused = join(workFolder, `copy-${process.pid}-abc`);
    await mkdir(reused, { mode: 0o700 });
    await writeFile(
      join(reused, 'owner.json'),
      JSON.stringify({ pid: process.pid, identity: 'another boot:1' }),
    );

    const planner = await openWhatIfPlanner(await readCatalog(connectionOf(client)), {
      workFolder,
    });
    const left = await copies();
    await planner.close();

    expect(left).toHaveLength(1);
    expect(left).not.toContain(`copy-${NO_PROCESS}-abc`);
    expect(left).not.toContain(`copy-${process.pid}-abc`);
  });

  it('are not copied into a folder that others may read', async () => {
    const open = await mkdtemp(join(tmpdir(), 'what-if-open-'));
    await chmod(open, 0o755);
    try {
      await expect(
        openWhatIfPlanner(await readCatalog(connectionOf(client)), { workFolder: open }),
      ).rejects.toMatchObject({ code: 'INDEX_ADVISOR_FOLDER_NOT_PRIVATE' });
    } finally {
      await rm(open, { recursive: true });
    }
  });

  it('are not quoted when a parameter does not fit', async () => {
    const planner = await openWhatIfPlanner(await readCatalog(connectionOf(client)), {
      workFolder,
    });
    try {
      const sql = 'SELECT * FROM patients WHERE id = $1';
      const refused = await planner
        .explain({ sql, parameters: ['Secretvalue'] })
        .catch((error: unknown) => inspect(error, { depth: 10 }));
      expect(refused).toContain('INDEX_ADVISOR_STATEMENT_REFUSED');
      expect(refused).not.toContain('Secretvalue');
    } finally {
      await planner.close();
    }
  });
});

function patients({ tables }: Catalog): Catalog['tables'][number] {
  const table = tables.find(({ name }) => name === 'patients');
  if (table === undefined) throw new Error('No table patients.');
  return table;
}

async function copies(): Promise<readonly string[]> {
  return (await readdir(workFolder)).filter((name) => name.startsWith('copy-'));
}
