import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { cloneTemplate } from '../support/database.js';
import { pantheon, pantheonJson } from './pantheon-command.js';

interface Advice {
  readonly recommended: readonly { readonly name: string; readonly ddl: string }[];
  readonly toRemove: readonly { readonly object: string }[];
  readonly applied?: readonly { readonly state: string; readonly name: string }[];
}

let cwd: string;
let database: Awaited<ReturnType<typeof cloneTemplate>>;
let client: Client;

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'pantheon cli '));
  database = await cloneTemplate();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(`CREATE TABLE visit (id int PRIMARY KEY, guest int NOT NULL, room text);
    INSERT INTO visit SELECT i, i % 4000, 'room ' || i % 90 FROM generate_series(1, 50000) i;
    CREATE INDEX visit_room ON visit (room);
    CREATE INDEX visit_room_too ON visit (room);
    ANALYZE visit`);
  for (let guest = 0; guest < 400; guest += 1) {
    await client.query('SELECT id, room FROM visit WHERE guest = $1', [guest]);
  }
}, 60_000);

afterAll(async () => {
  await client?.end();
  await database?.drop();
  rmSync(cwd, { recursive: true, force: true });
});

const advise = (...more: string[]) => [
  'index',
  'advise',
  '--time',
  '5',
  '--min-days',
  '0',
  ...more,
];

describe('pantheon index advise', () => {
  it('reports what to build and what to remove, with costs and reasons', async () => {
    const { code, stdout } = await pantheon(advise('--url', database.url), { cwd });

    expect(code).toBe(0);
    expect(stdout).toMatch(/CREATE INDEX CONCURRENTLY "ix_visit_guest\w+" ON "public"."visit"/);
    expect(stdout).toMatch(/[\d,.]+ → [\d,.]+ .*SELECT id, room FROM visit WHERE guest = \$1/);
    expect(stdout).toContain('DROP INDEX CONCURRENTLY "public"."visit_room_too"');
    expect(stdout).toContain('has the same method, keys, operator classes and predicate');
    expect(stdout).toContain('Cost of the workload:');
  }, 60_000);

  it('advises nothing that the budget does not allow', async () => {
    const options = advise('--url', database.url, '--budget', '100kB');
    const { recommended } = await pantheonJson<Advice>(options, { cwd });
    expect(recommended.filter(({ ddl }) => ddl.includes('"visit"'))).toEqual([]);
  }, 60_000);

  it('builds what it advises, tells each step, and keeps it in the database of Pantheon', async () => {
    const env = { DATABASE_URL: database.url };
    const { code, stdout, stderr } = await pantheon(advise('--apply', '--json'), { cwd, env });

    expect(code).toBe(0);
    const { applied = [], recommended } = JSON.parse(stdout) as Advice;
    const name = recommended.find(({ ddl }) => ddl.includes('"visit"'))?.name ?? '';
    expect(applied).toContainEqual(expect.objectContaining({ state: 'built', name }));
    expect(stderr).toContain(`${name}: built`);
    const { rows } = await client.query(
      'SELECT step FROM index_change WHERE index_name = $1 ORDER BY id',
      [name],
    );
    expect(rows.map(({ step }) => step)).toEqual(['preflight', 'build-started', 'built']);
    const again = await pantheonJson<Advice>(advise('--url', database.url), { cwd });
    expect(again.recommended.map((each) => each.name)).not.toContain(name);
  }, 120_000);

  it('says which option is wrong, and when the database is away', async () => {
    const budget = await pantheon(advise('--budget', 'much'), { cwd });
    expect(budget.code).toBe(1);
    expect(budget.stderr).toContain('--budget');
    const away = await pantheon(advise('--url', 'postgres://nobody@127.0.0.1:1/none'), { cwd });
    expect(away.code).toBe(2);
    expect(away.stderr).toContain('does not answer');
  });
});

describe('pantheon index schema', () => {
  it('prints findings with the statements that mend them', async () => {
    const { code, stdout } = await pantheon(['index', 'schema', '--url', database.url], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('public.visit.room (nullable-without-null, check first)');
  });
});
