import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { cloneTemplate } from '../support/database.js';
import { pantheon, pantheonJson, startPantheon } from './pantheon-command.js';

/** Enough for several batches; returns how many sections. */
function writeLargeDocuments(): number {
  const files = 20;
  const sections = Array.from(
    { length: 400 },
    (_, n) => `## Section ${n}\n\n${'word '.repeat(60)}${n}\n`,
  );
  for (let file = 0; file < files; file += 1) write(`docs/${file}.md`, sections.join('\n'));
  return files * sections.length;
}

interface Ingested {
  readonly source: string;
  readonly units: number;
  readonly entries: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly pruned: number;
}

let cwd: string;
let database: Client;
let env: Record<string, string>;
let drop: () => Promise<void>;

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'pantheon ingest '));
  // Where root runs the tests, PostgreSQL runs as a user who has to get here.
  chmodSync(cwd, 0o755);
  const clone = await cloneTemplate();
  drop = clone.drop;
  env = { DATABASE_URL: clone.url };
  database = new Client({ connectionString: clone.url });
  await database.connect();
});
afterEach(async () => {
  await database.end();
  await drop();
  rmSync(cwd, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(cwd, path)), { recursive: true });
  writeFileSync(join(cwd, path), text);
}

function ingest(...args: string[]): Promise<Ingested> {
  return pantheonJson<Ingested>(['ingest', ...args], { cwd, env });
}

interface StoredEntry {
  readonly source: string;
  readonly key: string;
  readonly text: string;
  readonly author: string | null;
  readonly occurredAt: Date;
  readonly state: string | null;
}

async function stored(): Promise<StoredEntry[]> {
  const { rows } = await database.query<StoredEntry>(
    `SELECT source.name AS source, entry.external_key AS key, entry.text, entry.author,
       entry.occurred_at AS "occurredAt", entry_index.state
     FROM context_entry entry JOIN context_source source ON source.id = entry.source_id
     LEFT JOIN entry_index ON entry_index.entry_id = entry.id
     ORDER BY source.name, entry.external_key`,
  );
  return rows;
}

describe('pantheon ingest --glob', () => {
  beforeEach(() => {
    write('node_modules/a/README.md', '# A\n\nAbout a.\n\n## Install\n\nRun npm i a.\n');
    write('node_modules/b/README.md', '# B\n\nAbout b.\n');
    write('node_modules/b/notes.txt', '# No\n\nNot Markdown.\n');
  });

  it('stores a section an entry, indexed, and doubles nothing when run twice', async () => {
    expect(await ingest('--glob', 'node_modules/**/*.md')).toMatchObject({
      source: 'documents',
      units: 2,
      entries: 3,
      inserted: 3,
    });
    const first = await stored();
    expect(first.map(({ key }) => key)).toEqual([
      'markdown:node_modules/a/README.md#a',
      'markdown:node_modules/a/README.md#install',
      'markdown:node_modules/b/README.md#b',
    ]);
    expect(first.every(({ state }) => state === 'written')).toBe(true);
    expect(await ingest('--glob', 'node_modules/**/*.md')).toMatchObject({
      inserted: 0,
      updated: 0,
      unchanged: 3,
    });
    expect(await stored()).toEqual(first);
  });

  it('updates a changed section, adds a new one, and prunes a gone one only when asked', async () => {
    await ingest('--glob', 'node_modules/**/*.md');
    write('node_modules/a/README.md', '# A\n\nAbout a, anew.\n\n## Use\n\nCall a().\n');
    expect(await ingest('--glob', 'node_modules/**/*.md')).toMatchObject({
      inserted: 1,
      updated: 1,
      unchanged: 1,
      pruned: 0,
    });
    expect((await stored()).map(({ key }) => key)).toHaveLength(4);
    expect(await ingest('--glob', 'node_modules/**/*.md', '--prune')).toMatchObject({
      unchanged: 3,
      pruned: 1,
    });
    const entries = await stored();
    expect(entries.map(({ key }) => key)).toEqual([
      'markdown:node_modules/a/README.md#a',
      'markdown:node_modules/a/README.md#use',
      'markdown:node_modules/b/README.md#b',
    ]);
    expect(entries[0]?.text).toContain('anew');
  });

  it('prunes nothing that another kind of input has put into the source', async () => {
    await ingest('--glob', 'node_modules/**/*.md', '--source', 'mixed');
    await database.query(
      `INSERT INTO context_entry (id, source_id, occurred_at, content_hash, text, external_key)
       SELECT uuidv7(), id, now(), '\\x00', 'by hand', key
       FROM context_source, (VALUES (NULL), ('git:abc')) AS other (key)`,
    );
    write('node_modules/b/README.md', '# Other\n\nAnother.\n');
    expect(
      await ingest('--glob', 'node_modules/**/*.md', '--source', 'mixed', '--prune'),
    ).toMatchObject({ inserted: 1, pruned: 1 });
    expect((await stored()).filter(({ text }) => text === 'by hand')).toHaveLength(2);
  });

  it('goes on after kill -9 and ends up as if nothing had happened', async () => {
    const total = writeLargeDocuments();
    const running = startPantheon(['ingest', '--glob', 'docs/**/*.md'], { cwd, env });
    const count = async (): Promise<number> => {
      const { rows } = await database.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM context_entry',
      );
      return rows[0]?.count ?? 0;
    };
    while ((await count()) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    running.kill('SIGKILL');
    expect((await running.result).signal).toBe('SIGKILL');
    const before = await count();
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(total);
    const resumed = await ingest('--glob', 'docs/**/*.md');
    expect(resumed.unchanged).toBeGreaterThanOrEqual(before);
    expect(resumed.inserted + resumed.unchanged).toBe(total);
    const entries = await stored();
    expect(entries).toHaveLength(total);
    expect(new Set(entries.map(({ key }) => key)).size).toBe(total);
    expect(entries.every(({ state }) => state === 'written')).toBe(true);
  }, 60_000);

  it('stops in order at Ctrl-C, exits 130 and keeps what was stored', async () => {
    writeLargeDocuments();
    const running = startPantheon(['ingest', '--glob', 'docs/**/*.md'], { cwd, env });
    const hasBegun = async (): Promise<boolean> => {
      const { rows } = await database.query('SELECT 1 FROM context_entry LIMIT 1');
      return rows.length > 0;
    };
    while (!(await hasBegun())) await new Promise((resolve) => setTimeout(resolve, 5));
    // A terminal and npm both pass it on.
    running.kill('SIGINT');
    running.kill('SIGINT');
    const { code, stderr } = await running.result;
    expect([code, stderr]).toEqual([130, expect.stringContaining('again')]);
    expect((await stored()).length).toBeGreaterThan(0);
  }, 60_000);

  it('says with path and reason what it cannot do', async () => {
    const cases: [string[], number, RegExp][] = [
      [['--glob', 'nothing/*.md'], 1, /--glob: no file below .* matches "nothing\/\*\.md"/],
      [[], 1, /--glob: give either --glob or --git/],
      [['--glob', '*.md', '--git', '.'], 1, /--glob: give either/],
      [['--glob', 'node_modules/**/*.md', '--source', 'a b'], 1, /--source: must be/],
      [['--glob', 'node_modules/**/*.md', '--user', 'x@y.z'], 1, /no active user x@y\.z/],
      [['--git', '.'], 1, /--git: /],
    ];
    for (const [args, expected, message] of cases) {
      const { code, stderr } = await pantheon(['ingest', ...args], { cwd, env });
      expect([args, code, stderr]).toEqual([args, expected, expect.stringMatching(message)]);
    }
    expect(await stored()).toEqual([]);
  });
});

describe('pantheon ingest --git', () => {
  function git(args: readonly string[], date: string): void {
    const identity = {
      GIT_AUTHOR_NAME: 'Ann',
      GIT_AUTHOR_EMAIL: 'ann@example.org',
      GIT_COMMITTER_NAME: 'Bo',
      GIT_COMMITTER_EMAIL: 'bo@example.org',
      GIT_AUTHOR_DATE: date,
    };
    execFileSync('git', ['-C', cwd, ...args], { env: { ...process.env, ...identity } });
  }

  it('reads the log as a conversation, and only what is new the next time', async () => {
    git(['init', '-q'], '');
    git(['commit', '-q', '--allow-empty', '-m', 'Begin'], '2024-01-02T03:04:05Z');
    git(['commit', '-q', '--allow-empty', '-m', 'Go on\n\nWith a body.'], '2024-01-03T00:00:00Z');
    expect(await ingest('--git', '.')).toMatchObject({ source: 'commits', units: 2, inserted: 2 });
    const entries = (await stored()).toSorted((a, b) => +a.occurredAt - +b.occurredAt);
    expect(entries).toEqual([
      expect.objectContaining({
        author: 'Ann',
        text: 'Begin',
        occurredAt: new Date('2024-01-02T03:04:05Z'),
      }),
      expect.objectContaining({ text: 'Go on\n\nWith a body.', state: 'written' }),
    ]);
    git(['commit', '-q', '--allow-empty', '-m', 'End'], '2024-01-04T00:00:00Z');
    expect(await ingest('--git', '.')).toMatchObject({ units: 3, inserted: 1, unchanged: 2 });
    const { messages } = await pantheonJson<{ messages: { content: string }[] }>(
      ['context', 'compile', '--source', 'commits'],
      { cwd, env },
    );
    expect(messages).toHaveLength(3);
    expect(messages[2]).toEqual({
      role: 'user',
      content: 'Ann said (2024-01-04T00:00:00.000Z): End',
    });
  });
});

describe('the embedded database', () => {
  it('is started for the command, tells of its first administrator once, and is stopped', async () => {
    write('docs/a.md', '# A\n\nAbout a.\n');
    const options = { cwd, env: { PANTHEON_DATA_DIR: join(cwd, 'data') } };
    const first = await pantheon(['ingest', '--glob', 'docs/*.md'], options);
    expect([first.code, first.stderr]).toEqual([0, expect.stringContaining('Password')]);
    expect(first.stdout).toContain('1 new');
    const second = await pantheon(['ingest', '--glob', 'docs/*.md'], options);
    expect([second.code, second.stdout]).toEqual([0, expect.stringContaining('1 unchanged')]);
    expect(second.stderr).not.toContain('Password');
  }, 60_000);
});
